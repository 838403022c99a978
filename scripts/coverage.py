"""coverage.py OBJECTS DIRECTORY ...: prints the line coverage of the sources below the directories, by the files that GCC
(.gcno) and the tests (.gcda) have left below OBJECTS/DIRECTORY."""

import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

NOTES_AT_A_TIME = 16
# Parts of names of what is not code of the programs.
TESTS = ("_test.cc", "_conformance.", "_test_", "/test_", "/testing/")


def counted(path, directories):
    return (
        path.startswith(tuple(f"{directory}/" for directory in directories))
        and not any(part in path for part in TESTS)
        and os.path.exists(path)
    )


def lines_of(notes):
    """-> [(source, line, whether it was executed)] of what these .gcno files are about."""
    # Of sources with relative paths: not of the system's headers.
    argv = ["gcov", "--json-format", "--stdout", "--relative-only", *notes]
    printed = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    return [
        (file["file"], line["line_number"], line["count"] > 0)
        for document in printed.splitlines()
        for file in json.loads(document)["files"]
        for line in file["lines"]
    ]


def main():
    objects, *directories = sys.argv[1:]
    notes = [path for directory in directories for path in sorted(pathlib.Path(objects, directory).rglob("*.gcno"))]
    groups = [notes[first : first + NOTES_AT_A_TIME] for first in range(0, len(notes), NOTES_AT_A_TIME)]
    # A line of a header is in many objects: it is executed if it is in one of them.
    executed = collections.defaultdict(dict)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for lines in pool.map(lines_of, groups):
            for source, line, hit in lines:
                if counted(source, directories):
                    executed[source][line] = executed[source].get(line, False) or hit
    if not executed:
        sys.exit("scripts/coverage: nothing was compiled; see .build/coverage.log")
    if not any(hit for lines in executed.values() for hit in lines.values()):
        sys.exit("scripts/coverage: the tests left no counts; see .build/coverage.log")

    folders = collections.defaultdict(lambda: [0, 0])
    for source, lines in executed.items():
        for name in (os.path.dirname(source), "total"):
            folders[name][0] += sum(lines.values())
            folders[name][1] += len(lines)
    total = folders.pop("total")
    width = max(map(len, folders))
    for name, (hit, lines) in [*sorted(folders.items()), ("total", total)]:
        print(f"{name:{width}}  {100 * hit / lines:5.1f} %  {hit:6} of {lines:6} lines")


main()

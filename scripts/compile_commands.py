"""compile_commands.py FILE: prints a compilation database for the C++ compilations in FILE, which `bazel aquery
--output=jsonproto` wrote. Paths are relative to the workspace, in which the link bazel-out leads to generated headers."""

import json
import os
import sys

# What only GCC understands, or only Bazel needs; those of the second list have a value.
DROPPED = {"-fno-canonical-system-headers", "-MD", "-Wno-free-nonheap-object"}
DROPPED_WITH_VALUE = {"-MF"}


def command(arguments):
    """-> (source, arguments for clangd)"""
    kept = []
    words = iter(arguments)
    for word in words:
        if word in DROPPED_WITH_VALUE:
            next(words)
        elif word not in DROPPED and not word.startswith("-frandom-seed="):
            kept.append(word)
    return kept[kept.index("-c") + 1], kept


def main():
    with open(sys.argv[1]) as file:
        actions = json.load(file)["actions"]
    commands = {}
    for action in actions:
        source, arguments = command(action["arguments"])
        # Tests of mistakes and generated sources are compiled from bazel-out.
        if not source.startswith("bazel-out/"):
            commands.setdefault(source, arguments)
    database = [
        {"directory": os.getcwd(), "file": source, "arguments": arguments} for source, arguments in sorted(commands.items())
    ]
    json.dump(database, sys.stdout, indent=1)
    print(f"compile_commands.json: {len(database)} sources", file=sys.stderr)


main()

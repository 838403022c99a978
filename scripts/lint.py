"""Runs clang-tidy for scripts/lint, which describes the options, and remembers which files are clean."""

import argparse
import collections
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import time

CLANG_TIDY = "clang-tidy-19"
ROOTS = ("gateway", "services", "tests")
FLAGS = ("-std=c++20", "-I.", "-DBOOST_ASIO_NO_DEPRECATED", "-DBOOST_BEAST_USE_STD_STRING_VIEW", "-Wall", "-Wextra")
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "entrepot" / "lint"
CACHE_DAYS = 90
# What counts as lately: these many days before the newest commit, and these many files, about what a machine without
# remembered results examines in the time that scripts/test gives.
CHANGED_DAYS = 7
CHANGED_FILES_MAX = 60
DAY_SECONDS = 24 * 3600
INCLUDE = re.compile(r'^(?:#include|import) "(.*)"', re.MULTILINE)


class Sources:
    """All C++ and .proto files. text: {path: content}; includes: {path: [path of ours that it includes]}."""

    def __init__(self):
        self.text = {}
        for root in (*ROOTS, "proto"):
            for path in sorted(pathlib.Path(root).rglob("*")):
                if path.suffix in (".cc", ".h", ".proto") and path.is_file():
                    self.text[str(path)] = path.read_text()
        self.includes = {
            path: [found for name in INCLUDE.findall(text) if (found := _source_of(name)) in self.text]
            for path, text in self.text.items()
        }

    def to_lint(self):
        # tests/sanitize needs headers that only GCC has.
        return [path for path in self.text if path.endswith(".cc") and not path.startswith("tests/sanitize/")]

    def closure(self, path):
        """The file, and all that it includes directly or indirectly."""
        seen, queue = {path}, [path]
        while queue:
            for included in self.includes[queue.pop()]:
                if included not in seen:
                    seen.add(included)
                    queue.append(included)
        return sorted(seen)


def _source_of(included):
    """The file that an #include or import names, or that the named file is generated from."""
    included = re.sub(r"(\.grpc)?\.pb\.h$", ".proto", included)
    return f"proto/{included}" if included.startswith("entrepot/") else included


def extra_checks(path, text):
    """Checks that this file is exempt from, as an option of clang-tidy."""
    # In a test a copy costs nothing, and a function may take the place of one of the C library's. For GoogleTest's macros
    # the analyzer needs a minute a file.
    if path.endswith(("_test.cc", "_conformance.cc")) or "/testing/" in path or path.startswith("tests/"):
        return ["--checks=-clang-analyzer-*,-performance-*,-readability-inconsistent-declaration-parameter-name"]
    # The analyzer takes the suspension of a coroutine for an ordinary call.
    if re.search(r"co_(await|return|yield)", text):
        return ["--checks=-clang-analyzer-*"]
    return []


class Linter:
    def __init__(self, sources, generated):
        self._sources = sources
        self._generated = generated
        version = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, text=True, check=True).stdout
        self._rules = [version, pathlib.Path(".clang-tidy").read_text(), *FLAGS]

    def stamp(self, path):
        """Exists if the file, with all that decides about findings in it, was clean."""
        parts = [*self._rules, *extra_checks(path, self._sources.text[path])]
        for each in self._sources.closure(path):
            parts += [each, self._sources.text[each]]
        digest = hashlib.sha256()
        for part in [path, *parts]:
            digest.update(hashlib.sha256(part.encode()).digest())
        return CACHE / digest.hexdigest()

    def lint(self, path, stamp):
        """-> whether the file is clean."""
        argv = [CLANG_TIDY, "--quiet", *extra_checks(path, self._sources.text[path]), path, "--", *FLAGS]
        done = subprocess.run(
            [*argv, "-isystem", self._generated], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
        )
        if done.returncode == 0:
            stamp.touch()
        else:
            print(done.stdout or f"{path}: {CLANG_TIDY} ended with {done.returncode}", flush=True)
        return done.returncode == 0


def git(*words):
    """The lines that git prints; None if this is not a checkout."""
    try:
        done = subprocess.run(["git", "-c", "core.quotePath=off", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.splitlines() if done.returncode == 0 else None


def changed_lately():
    """Paths of all kinds, newest change first; None without a history."""
    newest = git("log", "-1", "--format=%ct")
    if not newest or not pathlib.Path(".git").exists():
        return None
    changed = git("diff", "--name-only", "HEAD") + git("ls-files", "--others", "--exclude-standard")
    since = int(newest[0]) - CHANGED_DAYS * DAY_SECONDS
    changed += git("log", f"--since={since}", "--format=", "--name-only", "--no-renames", "--diff-filter=d")
    return list(dict.fromkeys(changed))


def to_lint_of(sources, paths):
    """The files that show the findings in `paths`: a header's are found by way of a file that includes it."""
    eligible = set(sources.to_lint())
    users = collections.defaultdict(list)
    for path in sorted(eligible, key=lambda path: path.endswith("_test.cc")):
        for included in sources.includes[path]:
            users[included].append(path)
    found = {}
    for path in paths:
        own = path[: -len(".h")] + ".cc" if path.endswith(".h") else path
        if own not in eligible and path.endswith(".h"):
            own = next(iter(users[path]), None)
        if own in eligible:
            found[own] = None
    return list(found)


def named(sources, roots):
    roots = [os.path.relpath(root) for root in roots]
    for root in roots:
        if not os.path.exists(root):
            sys.exit(f"scripts/lint: there is no {root}")
    return [path for path in sources.to_lint() if any(path == root or path.startswith(f"{root}/") for root in roots)]


def forget_old():
    oldest = time.time() - CACHE_DAYS * DAY_SECONDS
    with os.scandir(CACHE) as entries:
        for entry in entries:
            if entry.stat().st_mtime < oldest:
                os.unlink(entry)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--generated", required=True)
    parser.add_argument("--changed", type=int, metavar="SECONDS")
    parser.add_argument("roots", nargs="*", default=ROOTS)
    arguments = parser.parse_args()
    deadline = time.monotonic() + arguments.changed if arguments.changed is not None else float("inf")

    CACHE.mkdir(parents=True, exist_ok=True)
    forget_old()
    sources = Sources()
    paths = named(sources, arguments.roots)
    if arguments.changed is not None and (changed := changed_lately()) is not None:
        paths = to_lint_of(sources, changed)[:CHANGED_FILES_MAX]
    linter = Linter(sources, arguments.generated)
    stamps = {path: linter.stamp(path) for path in paths}
    todo = []
    for path, stamp in stamps.items():
        if stamp.exists():
            stamp.touch()
        else:
            todo.append(path)

    def lint(path):
        return linter.lint(path, stamps[path]) if time.monotonic() < deadline else None

    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS") or os.cpu_count())) as pool:
        try:
            clean = list(pool.map(lint, todo))
        except KeyboardInterrupt:
            deadline = 0
            raise
    bad = clean.count(False)
    reached = len(todo) - clean.count(None)
    result = f"findings in {bad}" if bad else "clean"
    print(f"scripts/lint: {len(paths)} files, {reached} examined now, {result}")
    if reached < len(todo):
        print(f"{len(todo) - reached} files were not linted: run scripts/lint")
    return 1 if bad else 0


sys.exit(main())

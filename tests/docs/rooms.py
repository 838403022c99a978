"""The rooms (folders with a BUILD file below services/ and gateway/), and what they use, by their BUILD files."""

import collections
import re

from docs import markdown

# Every room may use these; the table leaves them out.
FOUNDATION = {
    "services/status",
    "services/core",
    "services/core/failpoint",
    "services/core/files",
    "services/core/text",
    "services/core/time",
}
TESTS = {"cc_test", "entrepot_cc_test"}


class _Rules(dict):
    """Runs a BUILD file, which is Python as far as ours go: every rule that is called is written down."""

    def __init__(self):
        super().__init__(glob=lambda *patterns, **options: [], select=lambda choices: [])
        self.called = []

    def __missing__(self, rule):
        if rule in ("True", "False", "None", "__builtins__"):
            raise KeyError(rule)
        return lambda *arguments, **options: self.called.append((rule, options))


def read_rules(text):
    """-> [(rule, its arguments)]"""
    rules = _Rules()
    exec(compile(text, "BUILD.bazel", "exec"), rules)  # Our own file; Starlark is a part of Python.
    return rules.called


def read_rooms(tree):
    """-> {room: the rooms that it uses}. What only tests use is left out, but for the rooms of testing."""
    rules = {
        file.rpartition("/")[0]: read_rules(tree.text(file))
        for file in tree.matching("/BUILD.bazel")
        if file.startswith(("services/", "gateway/"))
    }
    uses = {room: set() for room in rules}
    for room, called in rules.items():
        for rule, arguments in called:
            for_tests = rule in TESTS or (arguments.get("testonly") and not room.endswith("/testing"))
            for label in [] if for_tests else arguments.get("deps", []):
                used = label[2:].partition(":")[0] if label.startswith("//") else room
                if used in rules and used != room:
                    uses[room].add(used)
    return uses


def short(room):
    """As the documents call it: without "services/"."""
    return room.removeprefix("services/")


def compare_table(tree, file):
    """The table with the columns "room" and "may use" against the BUILD files."""
    uses = read_rooms(tree)
    rows = [row for _, columns, rows in markdown.tables(tree.text(file)) if "may use" in columns for row in rows]
    listed = collections.Counter(code for row in rows for code in markdown.code_of(row["room"]))
    wrong = [f"{file}: {room} is listed {count} times" for room, count in listed.items() if count > 1]
    wrong += [f"{file}: the room {room} is missing" for room in sorted(uses.keys() - listed.keys())]
    wrong += [f"{file}: there is no room {room}" for room in sorted(listed.keys() - uses.keys())]
    for row in rows:
        for room in set(markdown.code_of(row["room"])) & uses.keys():
            told = set(re.split(r",\s*", row["may use"])) - {"", "—"}
            real = {short(used) for used in uses[room] - FOUNDATION}
            wrong += [f"{file}: {room} does not use {name}" for name in sorted(told - real)]
            wrong += [f"{file}: {room} also uses {name}" for name in sorted(real - told)]
    return wrong


def compare_packages(tree, file):
    """The packages of messages that the text names, such as `blob/v1`, against the folders of proto/entrepot."""
    folder = "proto/entrepot/"
    real = {path.rpartition("/")[0].removeprefix(folder) for path in tree.matching(".proto") if path.startswith(folder)}
    named = {code for code in markdown.inline_code(tree.text(file)) if re.fullmatch(r"[a-z]+/v\d+", code)}
    wrong = [f"{file}: the package {package} is missing" for package in sorted(real - named)]
    return wrong + [f"{file}: there is no package {package}" for package in sorted(named - real)]


def compare_diagram(tree, file):
    """The block of kind "rooms": each room once, and none uses one that is not on a line below it."""
    blocks = [block for language, block in markdown.split_fences(tree.text(file))[1] if language == "rooms"]
    if len(blocks) != 1:
        return [f"{file}: {len(blocks)} diagrams of rooms"]
    uses = read_rooms(tree)
    by_name = {short(room): room for room in uses}
    level, wrong = {}, []
    for number, line in enumerate(blocks[0].split("\n")):
        for name in re.split(r"\s*\|\s*|\s{2,}", line.strip()):
            if not name or set(name) <= {"-", "─", "+"}:
                continue
            if name not in by_name:
                wrong.append(f"{file}: the diagram has {name}, which is no room")
            elif name in level:
                wrong.append(f"{file}: the diagram has {name} twice")
            else:
                level[name] = number
    wrong += [f"{file}: the diagram lacks {name}" for name in sorted(by_name.keys() - level.keys())]
    for name in level:
        for used in sorted(map(short, uses[by_name[name]])):
            if used in level and level[used] <= level[name]:
                wrong.append(f"{file}: the diagram does not draw {used} below {name}, which uses it")
    return wrong

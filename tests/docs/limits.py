"""docs/limits.md against the configuration and the sources."""

import re

from docs import markdown

PAGE = "docs/limits.md"
# Settings whose refusal is an answer with a message.
REFUSALS = re.compile(r"^4\d\d$")
# Fields of the messages that are not limits of requests, or have no number.
NO_LIMITS = {"limits.deletes_disabled"}


def fields_of(proto, message):
    """-> the names of a message's fields."""
    body = re.search(rf"^message {message} \{{(.*?)^\}}", proto, re.S | re.M)[1]
    return re.findall(r"^  (?:repeated )?[\w.]+ (\w+) = \d+;", body, re.M)


def value_of(source, constant):
    """-> the number that a constexpr has, or the field `max` of one; None if there is none."""
    found = re.search(rf"constexpr [\w:]+ {constant}(?: = |\{{)(?:.*\.max = )?([^;}}]+)", source)
    if not found or not re.fullmatch(r"[\d'() *<]+", found[1].strip()):
        return None
    return eval(found[1].replace("'", ""))  # noqa: S307: digits and operators only.


def rows_of(page, heading):
    return [row for _, columns, rows in markdown.tables(page) if columns[0] == heading for row in rows]


def defaults_of(example):
    """-> {name: value} of an example's lines, of whatever level."""
    return dict(re.findall(r"^ +(\w+): ([^\s#]+)", example, re.M))


def compare(page, shared_proto, examples, sources):
    """`examples`: {message: text of the example}; `sources`: {file: text}."""
    wrong = []
    code = "\n".join(text for file, text in sources.items() if file.endswith((".cc", ".h")))
    told = {markdown.code_of(row["setting"])[0]: row for row in rows_of(page, "setting")}
    real = {f"limits.{field}" for field in fields_of(shared_proto, "Limits")} - NO_LIMITS
    real |= {f"uploads.{field}" for field in fields_of(shared_proto, "Uploads") if field.endswith("_max")}
    wrong += [f"the page lacks the setting {name}" for name in sorted(real - told.keys())]
    for name, row in told.items():
        message, _, field = name.rpartition(".")
        default = defaults_of(examples[message]).get(field)
        if default != row["default"]:
            wrong.append(f"{name}: the example has the default {default}")
        if REFUSALS.match(row["answer"]) and field.endswith("_max") and name not in code:
            wrong.append(f"{name}: no message names it")
    for row in rows_of(page, "limit"):
        file, constant = markdown.code_of(row["limit"])
        if file not in sources:
            wrong.append(f"there is no {file}")
        elif value_of(sources[file], constant) != int(row["value"]):
            wrong.append(f"{file}: {constant} is {value_of(sources[file], constant)}")
    return wrong

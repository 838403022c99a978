"""docs/metrics-and-logs.md against the sources."""

import re

from docs import markdown

PAGE = "docs/metrics-and-logs.md"
# Prefixes of secrets, which look like metrics' names.
NO_METRICS = {"entrepot_robot_", "entrepot_refresh_"}


def names_of_sources(text):
    """-> the names of all metrics: whole ones, and those that are put together."""
    names = set(re.findall(r'"((?:entrepot|process)_[a-z0-9_]+[a-z0-9])"', text))
    names |= {f"entrepot_{what}_reloads_total" for what in re.findall(r'File::Open\("(\w+)"', text)}
    for end in re.findall(r'StrCat\("entrepot_grpc_", side, "(\w+)"\)', text):
        names |= {f"entrepot_grpc_{side}{end}" for side in ("client", "server")}
    return names


def log_messages(text):
    """-> the messages of lines that are written with a fixed text, by Log() or by a function Fail() that logs it."""
    return set(re.findall(r'\b(?:Log(?:Limited)?\(\s*(?:runtime::)?LogLevel::k\w+,|Fail\()\s*"([^"]+)"', text))


def audit_events(text):
    return set(re.findall(r'\b\w*(?:audit|log)\w*(?:->|\.)Write(?:Limited)?\("(\w+)"', text, re.I))


def column(page, heading_column):
    """-> the code in that column of every table that has it."""
    return [
        code
        for _, columns, rows in markdown.tables(page)
        if heading_column in columns
        for row in rows
        for code in markdown.code_of(row[heading_column])
    ]


def compare(source, page):
    wrong = []
    for kind, real, told in (
        ("metric", names_of_sources(source), column(page, "metric")),
        ("log line", log_messages(source), column(page, "message")),
        ("audit event", audit_events(source), column(page, "event")),
    ):
        wrong += [f"the page lacks the {kind} {name}" for name in sorted(real - set(told))]
        for name in sorted(set(told) - real):
            # A message that is passed on in a variable is somewhere as a text.
            if kind != "log line" or f'"{name}"' not in source:
                wrong.append(f"the sources have no {kind} {name}")
        wrong += [f"the {kind} {name} is there twice" for name in sorted(set(told)) if told.count(name) > 1]
    for _, columns, rows in markdown.tables(page):
        if "metric" in columns and "labels" in columns:
            for row in rows:
                for label in markdown.code_of(row["labels"]):
                    if not re.search(rf'[{{ ]"{label}",', source):
                        wrong.append(f"{row['metric']}: no metric has a label {label}")
    return wrong

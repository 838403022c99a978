"""docs/http-api.md against the route table and the messages."""

import re

from docs import markdown

PAGE = "docs/http-api.md"
TABLE = "gateway/api/request/route_table.h"
ACCESS = {
    "kNone": "none",
    "kAnyToken": "any token",
    "kPull": "pull",
    "kPush": "push",
    "kDelete": "delete",
    "kCatalog": "registry:catalog:*",
    "kAdmin": "registry:administration:*",
}


def routes_of_table(text):
    """-> {(label, method): (path, access, whether only with accounts)}"""
    methods = {
        name: re.findall(r'RouteMethod\("(\w+)", Permission::(\w+)\)', body)
        for name, body in re.findall(r"constexpr std::array (k\w+Methods) = \{(.*?)\};", text, re.S)
    }
    found = {}
    row = (
        r'RouteInfo\{RouteFamily::\w+,\s*RoutePattern\("([^"]+)"\),\s*Presence::(\w+),\s*"(\w+)",\s*'
        r"internal::(k\w+)\}"
    )
    for pattern, presence, label, array in re.findall(row, text):
        for method, permission in methods[array]:
            found[label, method] = (path_of(pattern), ACCESS[permission], presence == "kWithAccounts")
    return found


def path_of(pattern):
    """As the page writes it: /v2/{repository}/blobs/{digest} is /v2/N/blobs/<digest>."""
    return re.sub(r"\{(\w+)\}", r"<\1>", pattern.replace("{repository}", "N"))


def routes_of_page(text):
    found = {}
    for _, columns, rows in markdown.tables(text):
        if columns != ["label", "path", "methods", "access"]:
            continue
        for row in rows:
            access, _, accounts = row["access"].partition("; ")
            for method in row["methods"].split(", "):
                found[markdown.code_of(row["label"])[0], method] = (
                    markdown.code_of(row["path"])[0],
                    access,
                    bool(accounts),
                )
    return found


def compare_routes(table, page):
    real, told = routes_of_table(table), routes_of_page(page)
    wrong = [f"the page lacks {method} of {label}" for label, method in sorted(real.keys() - told.keys())]
    wrong += [f"there is no {method} of {label}" for label, method in sorted(told.keys() - real.keys())]
    for route in sorted(real.keys() & told.keys()):
        if real[route] != told[route]:
            wrong.append(f"{route[1]} of {route[0]} is {real[route]}, not {told[route]}")
    return wrong


def commands_of_page(text):
    """-> {section: commands}, by the headings below each "POST" and the jobs"""
    found, section = {}, ""
    for line in markdown.split_fences(text)[0].split("\n"):
        if line.startswith("## "):
            section = line[3:]
        elif command := re.fullmatch(r"### (Job )?`(\w+)`", line):
            found.setdefault("Job" if command[1] else section, []).append(command[2])
    return found


def compare_commands(real, page):
    """`real`: {section: names}"""
    told = commands_of_page(page)
    wrong = []
    for section, names in real.items():
        listed = told.get(section, [])
        wrong += [f"{section}: the page lacks {name}" for name in sorted(names - set(listed))]
        wrong += [f"{section}: there is no {name}" for name in sorted(set(listed) - names)]
        wrong += [f"{section}: {name} is there twice" for name in sorted(names) if listed.count(name) > 1]
    return wrong

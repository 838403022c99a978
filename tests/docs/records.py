"""docs/records.md against the headers of the keys."""

import re

from docs import markdown

PAGE = "docs/records.md"
# Headers that list their keys, with the message of each value, in a comment.
LAYOUTS = ("services/manifest/records/metadata_keys.h", "services/auth/records/auth_keys.h", "services/upstream/freshness.h")
# The one whose keys are constants.
CONSTANTS = "services/blob/objects/blob_keys.h"


def keys_of_layout(text):
    """-> {key: message}"""
    return dict(re.findall(r"^//   ([a-z]+/\S*(?: [^ ]+>\S*)*)\s{2,}(\w+Record)\b", text, re.M))


def keys_of_constants(text):
    """-> the prefixes, and whole keys"""
    return set(re.findall(r'constexpr absl::string_view k\w+(?:Prefix|Key) = "([^"]+)"', text))


def keys_of_page(text):
    """-> {key: message}, of the tables with the columns "key" and "value"."""
    found = {}
    for _, columns, rows in markdown.tables(text):
        if "key" in columns and "value" in columns:
            for row in rows:
                codes = markdown.code_of(row["value"])
                found[markdown.code_of(row["key"])[0]] = codes[0] if codes else ""
    return found


def compare(layout_texts, constants_text, page_text):
    layout = {}
    for text in layout_texts:
        layout.update(keys_of_layout(text))
    prefixes = keys_of_constants(constants_text)
    page = keys_of_page(page_text)
    wrong = [f"the page lacks {key}" for key in sorted(layout.keys() - page.keys())]
    for key, message in sorted(page.items()):
        if key in layout:
            if layout[key] != message:
                wrong.append(f"the value of {key} is {layout[key]}, not {message}")
        elif re.sub(r"<.*", "", key) not in prefixes:
            wrong.append(f"no header has {key}")
    described = {re.sub(r"<.*", "", key) for key in page}
    wrong += [f"the page lacks {prefix}" for prefix in sorted(prefixes - described)]
    return wrong

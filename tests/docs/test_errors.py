"""docs/errors.md has the table of error codes."""

import re

from docs import markdown
from docs.tree import assert_none, repository

PAGE = "docs/errors.md"
TABLE = "services/status/oci_error.cc"


def codes_of_table(text):
    row = r'OciErrorInfo\{\w+::\w+, "(\w+)", (\d+), StatusCode::(\w+)\}'
    return {code: (int(http), status) for code, http, status in re.findall(row, text)}


def codes_of_page(text):
    found = {}
    for _, columns, rows in markdown.tables(text):
        if columns[:3] == ["code", "http", "status"]:
            for row in rows:
                found[markdown.code_of(row["code"])[0]] = (int(row["http"]), markdown.code_of(row["status"])[0])
    return found


def compare(table, page):
    real, told = codes_of_table(table), codes_of_page(page)
    wrong = [f"the page lacks {code}" for code in sorted(real.keys() - told.keys())]
    wrong += [f"there is no code {code}" for code in sorted(told.keys() - real.keys())]
    wrong += [f"{code} is {real[code]}" for code in sorted(real.keys() & told.keys()) if real[code] != told[code]]
    return wrong


def test_the_page_has_every_code():
    tree = repository()
    assert len(codes_of_table(tree.text(TABLE))) >= 19
    assert_none(compare(tree.text(TABLE), tree.text(PAGE)))


def test_finds_codes_that_are_wrong():
    table = """
    OciErrorInfo{Code::kBlobUnknown, "BLOB_UNKNOWN", 404, StatusCode::kNotFound},
    OciErrorInfo{Code::kDenied, "DENIED", 403, StatusCode::kPermissionDenied},
    """
    page = """
| code | HTTP | status | cause |
|---|---|---|---|
| `BLOB_UNKNOWN` | 404 | `kInternal` | |
| `GONE` | 410 | `kNotFound` | |
"""
    assert compare(table, page) == [
        "the page lacks DENIED",
        "there is no code GONE",
        "BLOB_UNKNOWN is (404, 'kNotFound')",
    ]

"""docs/errors.md has the table of error codes."""

import re

from docs import markdown
from docs.tree import assert_none, repository

PAGE = "docs/errors.md"
TABLE = "services/status/oci_error.cc"
FALLBACKS = "gateway/api/request/error_response.cc"


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


def fallbacks_of_source(text):
    """The switch of CodeOf() -> {status without a code: its code's name in the enum}; "" is the default."""
    body = re.search(r"OciErrorCode CodeOf\(absl::StatusCode code\) \{(.*?)\n\}", text, re.S)[1]
    found, statuses = {}, []
    for status, default, code in re.findall(r"case absl::StatusCode::(\w+):|(default):|return OciErrorCode::k(\w+);", body):
        if code:
            found.update(dict.fromkeys(statuses, code.upper()))
            statuses = []
        else:
            statuses.append("" if default else status)
    return found


def fallbacks_of_page(text):
    """-> {status without a code: (code, HTTP status)}"""
    found = {}
    for _, columns, rows in markdown.tables(text):
        if columns[0] == "status without a code":
            for row in rows:
                answer = (markdown.code_of(row["code"])[0], int(row["http"]))
                found.update(dict.fromkeys(markdown.code_of(row["status without a code"]) or [""], answer))
    return found


def compare_fallbacks(source, table, page):
    http = {code: status for code, (status, _) in codes_of_table(table).items()}
    by_enum = {code.replace("_", ""): code for code in http}
    real = {status: (by_enum[code], http[by_enum[code]]) for status, code in fallbacks_of_source(source).items()}
    told = fallbacks_of_page(page)
    return [
        f"{status or 'anything else'}: the page has {told.get(status)}, the source {real.get(status)}"
        for status in sorted(real.keys() | told.keys())
        if real.get(status) != told.get(status)
    ]


def test_the_page_has_the_code_of_every_status_without_one():
    tree = repository()
    source = tree.text(FALLBACKS)
    assert len(fallbacks_of_source(source)) >= 9
    assert_none(compare_fallbacks(source, tree.text(TABLE), tree.text(PAGE)))


def test_finds_fallbacks_that_are_wrong():
    table = """
    OciErrorInfo{Code::kNameUnknown, "NAME_UNKNOWN", 404, StatusCode::kNotFound},
    OciErrorInfo{Code::kUnknown, "UNKNOWN", 500, StatusCode::kInternal},
    """
    source = """
OciErrorCode CodeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAborted:
      return OciErrorCode::kNameUnknown;
    default:
      return OciErrorCode::kUnknown;
  }
}
"""
    page = """
| status without a code | code | HTTP |
|---|---|---|
| `kNotFound` | `NAME_UNKNOWN` | 400 |
| anything else | `UNKNOWN` | 500 |
"""
    assert compare_fallbacks(source, table, page) == [
        "kAborted: the page has None, the source ('NAME_UNKNOWN', 404)",
        "kNotFound: the page has ('NAME_UNKNOWN', 400), the source ('NAME_UNKNOWN', 404)",
    ]


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

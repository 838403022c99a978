"""docs/limits.md has every setting of the limits with its default, and the fixed limits with their values."""

from docs import limits
from docs.tree import assert_none, repository


def test_the_page_has_every_limit():
    tree = repository()
    sources = {file: tree.text(file) for file in tree.sources()}
    standalone = tree.text("examples/standalone.yaml")
    examples = {"limits": standalone, "uploads": standalone, "collector": standalone}
    examples["authentication"] = tree.text("examples/auth.yaml")
    objects = standalone[standalone.index("\n# objects:") :]
    examples["objects.s3"] = objects[: objects.index("\n\n")].replace("#", " ")
    examples["grpc"] = tree.text("examples/blob.yaml")
    page = tree.text(limits.PAGE)
    assert len(limits.rows_of(page, "setting")) > 10 and len(limits.rows_of(page, "limit")) > 10
    assert_none(limits.compare(page, tree.text("proto/entrepot/config/v1/shared.proto"), examples, sources))


# ----------------------------------------------------------------------------------------------------------------------
# The check finds what is wrong.

PROTO = """
message Limits {
  // Bytes.
  uint32 header_bytes_max = 1;
  google.protobuf.Duration idle_timeout = 2;
  bool deletes_disabled = 3;
}
message Uploads {
  uint32 sessions_max = 1;
  google.protobuf.Duration session_lifetime = 2;
}
"""
EXAMPLE = "limits:\n  header_bytes_max: 32768 # a comment\n  idle_timeout: 75s\nuploads:\n  sessions_max: 7\n"
SOURCES = {
    "a.cc": 'constexpr size_t kOne = 64 << 10;\nconstexpr uint32_t kTwo{1\'000};\n"(uploads.sessions_max)"',
    "b.h": "inline constexpr size_t kThree = 120 * 1024;\nconstexpr PageSize kFour{.standard = 5, .max = 1'000};",
}
PAGE = """
| setting | default | answer |
|---|---|---|
| `limits.header_bytes_max` | 32768 | 431 |
| `uploads.sessions_max` | 8 | 429 |

| limit | value |
|---|---|
| `a.cc` `kOne` | 65536 |
| `a.cc` `kTwo` | 100 |
| `b.h` `kThree` | 122880 |
| `b.h` `kFour` | 5 |
| `b.h` `kGone` | 1 |
| `c.h` `kOther` | 1 |
"""


def test_finds_what_is_wrong():
    assert limits.compare(PAGE, PROTO, {"limits": EXAMPLE, "uploads": EXAMPLE}, SOURCES) == [
        "the page lacks the setting limits.idle_timeout",
        "limits.header_bytes_max: no message names it",
        "uploads.sessions_max: the example has the default 7",
        "a.cc: kTwo is 1000",
        "b.h: kFour is 1000",
        "b.h: kGone is None",
        "there is no c.h",
    ]

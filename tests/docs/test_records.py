"""docs/records.md has every key of the headers, and no other."""

from docs import records
from docs.tree import assert_none, repository


def read(tree):
    return [tree.text(file) for file in records.LAYOUTS], tree.text(records.CONSTANTS), tree.text(records.PAGE)


def test_the_page_has_every_key():
    layouts, constants, page = read(repository())
    assert len(records.keys_of_layout(layouts[0])) >= 15
    assert len(records.keys_of_layout(layouts[1])) >= 10
    assert len(records.keys_of_constants(constants)) >= 4
    assert_none(records.compare(layouts, constants, page))


# ----------------------------------------------------------------------------------------------------------------------
# The check finds what is wrong.

LAYOUT = """
//   f/manifest                              FormatRecord
//   b/<digest>                              BlobRecord
//   x/<storage key>                         DeleteIntentRecord
//   g/history|<started at>                  CollectionRecord
"""
CONSTANTS = 'inline constexpr absl::string_view kUploadPrefix = "u/";\ninline constexpr absl::string_view kFormatKey = "f/blob";'
PAGE = """
| key | value | transactions |
|---|---|---|
| `f/manifest` | `FormatRecord` | |
| `b/<digest>` | `LinkRecord` | |
| `x/<storage key>` | `DeleteIntentRecord` | |
| `y/<digest>` | `BlobRecord` | |
| `u/<upload id>` | `UploadRecord` | |
"""


def test_finds_keys_that_are_wrong():
    assert records.compare([LAYOUT], CONSTANTS, PAGE) == [
        "the page lacks g/history|<started at>",
        "the value of b/<digest> is BlobRecord, not LinkRecord",
        "no header has y/<digest>",
        "the page lacks f/blob",
    ]

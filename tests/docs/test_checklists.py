"""docs/checklists.md names files that have its anchors, and all files that an existing member of each kind is in."""

from docs import checklists
from docs.test_paths import make_tree
from docs.tree import assert_none, repository


def test_every_anchor_is_in_its_file():
    text = repository().text(checklists.PAGE)
    assert len(checklists.lists_of(text)) >= 13
    assert_none(checklists.find_bad_anchors(repository(), text))


def test_every_list_has_the_changelog():
    assert_none(checklists.find_lists_without_changelog(repository().text(checklists.PAGE)))


def test_every_file_of_a_specimen_is_listed():
    assert_none(checklists.find_unlisted(repository(), repository().text(checklists.PAGE)))


# ----------------------------------------------------------------------------------------------------------------------
# The checks find what is wrong.

PAGE = """
## Add a thing

Specimen: `kThing\\b`, outside of `services/own`

| step | file | anchor | found by |
|---|---|---|---|
| one | `services/a.h` | `enum Thing` | — |
| two | `services/b.h` | `nowhere` | — |
| three | `services/gone.h` | `x` | — |
| four | `services` | — | — |

## Add another

| step | file | anchor | found by |
|---|---|---|---|
| one | `services/a.h` | `a \\| b` | — |
"""


def test_finds_lists_that_are_wrong(tmp_path):
    tree = make_tree(
        tmp_path,
        {
            "services/a.h": "enum Thing { kThing }; a | b",
            "services/b.h": "kThing",
            "services/c.cc": "kThing",
            "services/d.cc": "kThings",
            "services/own/e.cc": "kThing",
        },
    )
    assert checklists.find_bad_anchors(tree, PAGE) == [
        "Add a thing: services/b.h does not contain nowhere",
        "Add a thing: there is no services/gone.h",
    ]
    assert checklists.find_lists_without_changelog(PAGE + "| two | `CHANGELOG.md` | `## [Unreleased]` | — |") == [
        "Add a thing: lacks CHANGELOG.md",
    ]
    assert checklists.find_unlisted(tree, PAGE) == [
        "Add a thing: services/c.cc mentions the specimen and is not listed",
        "Add another: has no specimen",
    ]
    assert checklists.find_unlisted(tree, PAGE.replace("kThing", "kNothing"))[0] == (
        "Add a thing: hardly any file mentions the specimen kNothing\\b"
    )

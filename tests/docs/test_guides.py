"""Every guide has a place in the lists of guides."""

from docs import markdown
from docs.test_paths import make_tree
from docs.tree import assert_none, repository

FOLDER = "docs/"
LIST = FOLDER + "README.md"
# A reader begins with one of them.
OTHERS = ("README.md", "services/README.md")


def check(tree):
    guides = {file.removeprefix(FOLDER) for file in tree.matching(".md") if file.startswith(FOLDER)} - {"README.md"}
    listed = markdown.links(tree.text(LIST))
    wrong = [f"{LIST} lists {guide} {listed.count(guide)} times" for guide in sorted(guides) if listed.count(guide) != 1]
    linked = {link.rpartition(FOLDER)[2] for file in OTHERS for link in markdown.links(tree.text(file)) if FOLDER in link}
    wrong += [f"none of {', '.join(OTHERS)} links {guide}" for guide in sorted(guides - linked)]
    return wrong


def test_the_lists_have_every_guide():
    assert_none(check(repository()))


def test_finds_a_guide_that_is_in_no_list(tmp_path):
    tree = make_tree(tmp_path, {
        "docs/README.md": "[A](a.md) [A](a.md) [B](b.md) [code](../services/README.md)",
        "docs/a.md": "", "docs/b.md": "", "docs/c.md": "",
        "README.md": "[A](docs/a.md)",
        "services/README.md": "[B](../docs/b.md)",
    })  # fmt: skip
    assert check(tree) == [
        "docs/README.md lists a.md 2 times",
        "docs/README.md lists c.md 0 times",
        "none of README.md, services/README.md links c.md",
    ]

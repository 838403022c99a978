"""Every decision has its form, and a place in the list."""

import re

import pytest

from docs import markdown
from docs.tree import assert_none, repository

FOLDER = "services/decisions/"
PAGES = [file for file in repository().matching(".md") if re.match(FOLDER + r"\d", file)]
STATUS = re.compile(r"^Status: (accepted|superseded by \[[^]]+\]\([^)]+\)), 20\d\d-\d\d-\d\d(\.|$)")


def check(name, text):
    lines = text.split("\n")
    wrong = []
    if not re.match(r"\d{4}-\d\d-\d\d-[a-z0-9-]+\.md$", name):
        wrong.append("its name is not DATE-SUBJECT.md")
    if not lines[0].startswith("# "):
        wrong.append("it does not begin with a title")
    if not (len(lines) > 2 and STATUS.match(lines[2])):
        wrong.append("its third line is not a status with a date")
    headings = markdown.headings(text)[1:]
    if headings not in (["Decision", "Why", "What follows"], ["Decision and why", "What follows"]):
        wrong.append(f"its headings are {headings}")
    if len(text.split()) > 900:
        wrong.append("it is longer than a page")
    return wrong


@pytest.mark.parametrize("page", PAGES)
def test_a_decision_has_its_form(page):
    assert_none(check(page.removeprefix(FOLDER), repository().text(page)))


def test_the_list_has_every_decision_once():
    listed = markdown.links(repository().text(FOLDER + "README.md"))
    assert sorted(listed) == sorted(page.removeprefix(FOLDER) for page in PAGES)


def test_finds_what_is_wrong_with_a_decision():
    good = "# Title\n\nStatus: accepted, 2026-11-24\n\n## Decision\n\n## Why\n\n## What follows\n"
    assert check("2026-11-24-title.md", good) == []
    assert check("title.md", "Title\n\nStatus: good\n\n## Decision\n" + "word " * 900) == [
        "its name is not DATE-SUBJECT.md",
        "it does not begin with a title",
        "its third line is not a status with a date",
        "its headings are []",
        "it is longer than a page",
    ]

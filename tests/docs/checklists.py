"""docs/checklists.md against the tree: anchors, and specimens."""

import re

from docs import markdown

PAGE = "docs/checklists.md"
# What a change of every kind touches.
ALWAYS = "CHANGELOG.md"
# What scripts/render writes, and links to other files: nothing is added there.
RENDERED = re.compile(r"k8s/(base|overlays|components)/(?!.*kustomization\.yaml$)|k8s/chart/files/")


def lists_of(text):
    """-> {heading: [(file, anchor)]}"""
    return {
        heading: [(markdown.code_of(row["file"])[0], "".join(markdown.code_of(row["anchor"])[:1])) for row in rows]
        for heading, columns, rows in markdown.tables(text)
        if "anchor" in columns
    }


def specimens_of(text):
    """-> {heading: (pattern, a folder that does not count)}"""
    found, heading = {}, ""
    for line in text.split("\n"):
        if line.startswith("## "):
            heading = line[3:]
        elif specimen := re.match(r"Specimen: `([^`]+)`(?:, outside of `([^`]+)`)?$", line):
            found[heading] = (specimen[1], specimen[2] or "")
    return found


def find_bad_anchors(tree, text):
    wrong = []
    for heading, rows in lists_of(text).items():
        for file, anchor in rows:
            if not tree.has(file):
                wrong.append(f"{heading}: there is no {file}")
            elif anchor and anchor not in tree.text(file):
                wrong.append(f"{heading}: {file} does not contain {anchor}")
    return wrong


def find_lists_without_changelog(text):
    return [f"{heading}: lacks {ALWAYS}" for heading, rows in lists_of(text).items() if ALWAYS not in dict(rows)]


def find_unlisted(tree, text):
    """Files that mention a specimen and are not in its list. Its own files and other documents do not count."""
    wrong, lists = [], lists_of(text)
    for heading, (pattern, outside) in specimens_of(text).items():
        if heading not in lists:
            wrong.append(f"{heading}: a specimen without a list")
            continue
        listed = {file for file, _ in lists[heading]}
        found = 0
        for file in sorted(tree.files):
            if file.endswith(".md") or RENDERED.match(file) or (outside and file.startswith(outside + "/")):
                continue
            name = file.rpartition("/")[2].partition(".")[0].removesuffix("_test")
            if re.fullmatch(pattern, name):
                continue
            try:
                mentions = re.search(pattern, tree.text(file))
            except UnicodeDecodeError:
                continue
            if not mentions:
                continue
            found += 1
            if file not in listed and not file.startswith("tests/docs/"):
                wrong.append(f"{heading}: {file} mentions the specimen and is not listed")
        if found < 3:
            wrong.append(f"{heading}: hardly any file mentions the specimen {pattern}")
    wrong += [f"{heading}: has no specimen" for heading in lists if heading not in specimens_of(text)]
    return wrong

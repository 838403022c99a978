"""Just enough of Markdown for the checks: links, code, headings, tables."""

import re

FENCE = re.compile(r"^(```|~~~)")


def split_fences(text):
    """-> (prose, blocks): the text with its fenced blocks blanked out; [(language, block)]."""
    prose, blocks, block, language = [], [], None, ""
    for line in text.split("\n"):
        if FENCE.match(line.strip()):
            if block is None:
                block, language = [], line.strip()[3:].strip()
            else:
                blocks.append((language, "\n".join(block)))
                block = None
            prose.append("")
        elif block is None:
            prose.append(line)
        else:
            block.append(line)
            prose.append("")
    return "\n".join(prose), blocks


def inline_code(text):
    return re.findall(r"`([^`\n]+)`", split_fences(text)[0])


def links(text):
    return re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", split_fences(text)[0])


def slug(heading):
    """The anchor that hosting platforms make of a heading."""
    kept = "".join(c for c in re.sub(r"`", "", heading).lower() if c.isalnum() or c in " -_")
    return kept.strip().replace(" ", "-")


def headings(text):
    return [match[1] for match in re.finditer(r"^#+\s+(.*)$", split_fences(text)[0], re.M)]


def cells(row):
    """A `\\|` within a cell is not a border."""
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def tables(text):
    """-> [(heading above, names of the columns in lower case, rows)]; a row is {column: cell}."""
    found, heading, lines = [], "", split_fences(text)[0].split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("#"):
            heading = line.lstrip("#").strip()
        is_table = line.startswith("|") and at + 1 < len(lines) and re.match(r"^\|[\s:|-]+\|$", lines[at + 1])
        if not is_table:
            at += 1
            continue
        columns = [name.lower() for name in cells(line)]
        rows, at = [], at + 2
        while at < len(lines) and lines[at].startswith("|"):
            rows.append(dict(zip(columns, cells(lines[at]))))
            at += 1
        found.append((heading, columns, rows))
    return found


def code_of(cell):
    """The pieces of code in a cell."""
    return re.findall(r"`([^`]+)`", cell)

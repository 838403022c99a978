"""Every path that a document names is there."""

import itertools
import re

from docs import markdown

SOURCE = (".h", ".cc", ".proto", ".py", ".md", ".yaml", ".bzl", ".bazel")
# What a name without a suffix may stand for: services/kv/lock_table is the header, the source and the test.
MODULE = (".h", ".cc", ".proto", ".py")
# Names that do not belong to a file: of a pattern, or of something that a user writes.
PLACEHOLDER = re.compile(r"[<>$…]|\bFILE\b|\bNAME\b|\bDIR\b|\bPATH\b|^x\.|^x_test\.")


def _expand(word):
    """a/{b,c}.h -> a/b.h, a/c.h"""
    parts = re.split(r"(\{[^{}]*\})", word)
    choices = [part[1:-1].split(",") if part.startswith("{") else [part] for part in parts]
    return ["".join(choice) for choice in itertools.product(*choices)]


def _is_there(tree, word, beside):
    if word.startswith("../"):
        return tree.has(_resolve(beside, word))
    if "*" in word:
        pattern = re.compile("(.*/)?" + re.escape(word).replace(r"\*", "[^/]*"))
        return any(pattern.fullmatch(file) for file in tree.files)
    if tree.has(word) or tree.has(f"{beside}/{word}" if beside else word):
        return True
    if word.endswith(SOURCE):
        return bool(tree.ending_with(word))
    return any(tree.has(word + suffix) for suffix in MODULE)


def _words(text):
    """-> the words that look like paths: in code, and in fenced blocks."""
    for code in markdown.inline_code(text):
        yield from code.split()
    for _, block in markdown.split_fences(text)[1]:
        for word in re.findall(r"[\w./{},*-]+", block):
            # In a block only whole paths count: `limits.idle_timeout` or `a/b.h` of an example may be anything.
            if "/" in word:
                yield "block:" + word


def find_missing(tree, file):
    """-> what the document names and is not there, a line each."""
    text = tree.text(file)
    beside = file.rpartition("/")[0]
    tops = {path.partition("/")[0] for path in tree.files}
    missing = []
    for word in _words(text):
        in_block = word.startswith("block:")
        word = word.removeprefix("block:").rstrip(".,:;)").lstrip("(")
        if PLACEHOLDER.search(word) or word.startswith(("http:", "https:", "-", "~")):
            continue
        if word.startswith("//"):
            package = word[2:].partition(":")[0].removesuffix("/...")
            if package.partition("/")[0] in tops and not tree.has(package):
                missing.append(f"{file}: no package {word}")
            continue
        word = word.partition(":")[0]
        is_whole = "/" in word and word.partition("/")[0] in tops
        is_source = word.endswith(SOURCE) and re.fullmatch(r"[\w./{},*-]+", word) and not in_block
        if not is_whole and not is_source:
            continue
        missing += [f"{file}: no file {each}" for each in _expand(word) if not _is_there(tree, each, beside)]
    for link in markdown.links(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = _resolve(beside, path) if path else file
        if not tree.has(target):
            missing.append(f"{file}: the link {link} leads nowhere")
        elif anchor and anchor not in map(markdown.slug, markdown.headings(tree.text(target))):
            missing.append(f"{file}: {target} has no heading for #{anchor}")
    return missing


def _resolve(beside, path):
    parts = [part for part in beside.split("/") if part]
    for part in path.split("/"):
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def find_missing_citations(tree):
    """Documents that the sources cite."""
    missing = []
    for file in tree.matching(".h", ".cc", ".proto", ".py", ".bazel", ".bzl", ".yaml"):
        if file.startswith("tests/docs/"):
            continue
        for cited in re.findall(r"\b((?:[\w.-]+/)*(?:docs|decisions)/[\w.-]+\.md)\b", tree.text(file)):
            if not tree.has(cited) and not tree.ending_with(cited):
                missing.append(f"{file} cites {cited}, which is not there")
    return missing


def find_missing_functions(tree, file):
    """In tables with the columns "file" and "function", the file (or its header or source) has that name."""
    missing = []
    for _, columns, rows in markdown.tables(tree.text(file)):
        if "file" not in columns or "function" not in columns:
            continue
        for row in rows:
            texts = []
            for path in markdown.code_of(row["file"]):
                stem = re.sub(r"\.(h|cc)$", "", path)
                texts += [tree.text(f) for f in {path, stem + ".h", stem + ".cc"} if f in tree.files]
            for function in markdown.code_of(row["function"]):
                name = re.split(r"::|\.|->", function.partition("(")[0])[-1]
                if not any(re.search(rf"\b{re.escape(name)}\b", text) for text in texts):
                    missing.append(f"{file}: {row['file']} has no {function}")
    return missing

"""The documents name only files, headings and functions that there are."""

import pytest

from docs import paths
from docs.tree import Tree, assert_none, repository

DOCUMENTS = repository().matching(".md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_is_there(document):
    assert_none(paths.find_missing(repository(), document))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_function_is_in_its_file(document):
    assert_none(paths.find_missing_functions(repository(), document))


def test_every_document_that_the_sources_cite_is_there():
    assert_none(paths.find_missing_citations(repository()))


# ----------------------------------------------------------------------------------------------------------------------
# The checks find what is wrong.

BAD = """# Title
[gone](gone.md), [no heading](#nowhere), [fine](#title), `services/kv/gone.h`, `services/kv/engine.h`, `engine.h`,
`old_name.cc`, `services/kv/engine`, `services/kv/{engine,other}.h`, `scripts/FILE`, `//services/gone:all`,
`gateway/http/*.h`

```sh
scripts/gone --port 8080
data/anything/else.h
```

| File | Function |
|---|---|
| `services/kv/engine.h` | `Engine::Open()` |
| `services/kv/engine.h` | `Engine::Close()` |
"""


def make_tree(tmp_path, files):
    for file, text in files.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    return Tree(tmp_path, files)


def test_finds_paths_that_are_not_there(tmp_path):
    tree = make_tree(tmp_path, {"docs/bad.md": BAD, "services/kv/engine.h": "void Open();", "scripts/serve": ""})
    assert paths.find_missing(tree, "docs/bad.md") == [
        "docs/bad.md: no file services/kv/gone.h",
        "docs/bad.md: no file old_name.cc",
        "docs/bad.md: no file services/kv/other.h",
        "docs/bad.md: no package //services/gone:all",
        "docs/bad.md: no file gateway/http/*.h",
        "docs/bad.md: no file scripts/gone",
        "docs/bad.md: the link gone.md leads nowhere",
        "docs/bad.md: docs/bad.md has no heading for #nowhere",
    ]


def test_finds_functions_that_are_not_there(tmp_path):
    tree = make_tree(tmp_path, {"docs/bad.md": BAD, "services/kv/engine.h": "void Open();"})
    assert paths.find_missing_functions(tree, "docs/bad.md") == [
        "docs/bad.md: `services/kv/engine.h` has no Engine::Close()"
    ]


def test_finds_citations_that_lead_nowhere(tmp_path):
    tree = make_tree(
        tmp_path, {"services/a.h": "// docs/gone.md, docs/there.md, decisions/gone.md", "docs/there.md": "# There"}
    )
    assert paths.find_missing_citations(tree) == [
        "services/a.h cites docs/gone.md, which is not there",
        "services/a.h cites decisions/gone.md, which is not there",
    ]

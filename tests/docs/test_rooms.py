"""services/README.md shows the rooms as they are."""


from docs import rooms
from docs.test_paths import make_tree
from docs.tree import assert_none, repository

README = "services/README.md"


def test_the_table_is_what_the_build_files_say():
    assert_none(rooms.compare_table(repository(), README))


def test_the_diagram_draws_every_dependency_downwards():
    assert_none(rooms.compare_diagram(repository(), README))


def test_names_every_package_of_messages():
    assert_none(rooms.compare_packages(repository(), README))


# ----------------------------------------------------------------------------------------------------------------------
# The checks find what is wrong.

BUILD_A = """
load("//bazel:cc.bzl", "entrepot_cc_library", "entrepot_cc_test")

package(default_visibility = ["//visibility:private"])

entrepot_cc_library(
    name = "a",
    deps = [":other", "//services/b:b", "//services/c", "//services/core:digest", "//third_party:grpc"],
    test_deps = ["//services/d:d"],
)

entrepot_cc_library(name = "fixture", testonly = True, deps = ["//services/d:d"])

entrepot_cc_test(name = "x_test", deps = ["//services/d:d"])
"""
TABLE = """
| room | what it is | may use |
|---|---|---|
| `services/a` | | b, d |
| `services/b` | | — |
| `services/b` | | |
| `services/core` | | |
| `services/gone` | | a |

```rooms
b | a
core  gone
a
```
"""


def make_rooms(tmp_path):
    files = {f"services/{room}/BUILD.bazel": "package()" for room in ("b", "c", "d", "core")}
    return make_tree(tmp_path, {**files, "services/a/BUILD.bazel": BUILD_A, "README.md": TABLE})


def test_reads_what_a_room_uses(tmp_path):
    uses = rooms.read_rooms(make_rooms(tmp_path))
    assert uses["services/a"] == {"services/b", "services/c", "services/core"}
    assert uses["services/b"] == set()


def test_finds_a_table_that_is_wrong(tmp_path):
    assert rooms.compare_table(make_rooms(tmp_path), "README.md") == [
        "README.md: services/b is listed 2 times",
        "README.md: the room services/c is missing",
        "README.md: the room services/d is missing",
        "README.md: there is no room services/gone",
        "README.md: services/a does not use d",
        "README.md: services/a also uses c",
    ]


def test_finds_packages_that_are_wrong(tmp_path):
    files = {"proto/entrepot/a/v1/x.proto": "", "proto/entrepot/b/v1/y.proto": "", "README.md": "`a/v1`, `c/v1`, `d/x`"}
    assert rooms.compare_packages(make_tree(tmp_path, files), "README.md") == [
        "README.md: the package b/v1 is missing",
        "README.md: there is no package c/v1",
    ]


def test_finds_a_diagram_that_is_wrong(tmp_path):
    assert rooms.compare_diagram(make_rooms(tmp_path), "README.md") == [
        "README.md: the diagram has gone, which is no room",
        "README.md: the diagram has a twice",
        "README.md: the diagram lacks c",
        "README.md: the diagram lacks d",
        "README.md: the diagram does not draw b below a, which uses it",
    ]

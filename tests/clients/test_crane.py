"""crane pushes, pulls, copies, lists and deletes images; the registry has every byte."""

import functools
import shutil

import pytest

from clients.oci_layout import Layout
from clients.sent_bytes import assert_sent_at_most, count_sent
from clients.stored import Stored, assert_stored
from fixtures.tools import go_tool


@pytest.fixture
def crane(run):
    return functools.partial(run, go_tool("crane"))


def push(crane, layout, name, target, scratch):
    """Pushes one image of the layout: crane needs a layout with only one image."""
    single = Layout.create(scratch)
    descriptor = layout.tagged(name)
    for digest in layout.check(descriptor["digest"]):
        single.add_file("", layout.blob(digest))
    single.tag(descriptor, name)
    crane("push", single.directory, target)


def assert_pulls(crane, layout, name, source, scratch):
    crane("pull", "--format=oci", source, scratch)
    pulled = Layout(scratch)
    expected = layout.tagged(name)["digest"]
    assert pulled.tagged()["digest"] == expected
    assert pulled.check(expected) == layout.check(expected)


@pytest.mark.parametrize("name", ["app", "zstd", "multi", "sbom"])
def test_image_is_pushed_and_pulled_unchanged(registry, images, crane, tmp_path, name):
    target = f"{registry.address}/crane/{name}:v1"
    push(crane, images.all, name, target, tmp_path / "pushed")
    assert_stored(registry, f"crane/{name}", "v1", images.all, name)
    assert_pulls(crane, images.all, name, target, tmp_path / "pulled")
    assert crane("digest", target).strip() == images.all.tagged(name)["digest"]


def test_layer_of_more_than_a_gib_is_pushed_and_pulled_unchanged(registry, images, crane, tmp_path):
    target = f"{registry.address}/crane/big:v1"
    push(crane, images.big, "big", target, tmp_path / "pushed")
    assert_stored(registry, "crane/big", "v1", images.big, "big")
    assert_pulls(crane, images.big, "big", target, tmp_path / "pulled")
    shutil.rmtree(tmp_path / "pulled")


def test_push_after_a_change_sends_only_changed_blobs(registry, images, crane, tmp_path):
    repository = "crane/changing"
    push(crane, images.all, "app", f"{registry.address}/{repository}:v1", tmp_path / "before")
    before = images.all.check(images.all.tagged("app")["digest"])
    after = images.all.check(images.all.tagged("changed")["digest"])
    with count_sent(registry) as sent:
        push(crane, images.all, "changed", f"{registry.address}/{repository}:v2", tmp_path / "after")
    new = sum(size for digest, size in after.items() if digest not in before)
    assert_sent_at_most(sent, new)
    assert_stored(registry, repository, "v2", images.all, "changed")


def test_copy_to_a_second_repository_mounts_its_blobs(registry, images, crane, tmp_path):
    push(crane, images.all, "app", f"{registry.address}/crane/source:v1", tmp_path / "pushed")
    app = images.all.tagged("app")
    with count_sent(registry) as sent:
        crane("copy", f"{registry.address}/crane/source:v1", f"{registry.address}/crane/target/deep:v1")
    assert_stored(registry, "crane/target/deep", "v1", images.all, "app")
    config = images.all.read_json(app["digest"])["config"]
    assert_sent_at_most(sent, app["size"] + config["size"])


def test_append_sends_no_layers_of_a_base_in_the_registry(registry, images, crane, tmp_path):
    push(crane, images.all, "app", f"{registry.address}/crane/base:v1", tmp_path / "pushed")
    layer = images.all.blob(images.all.read_json(images.all.tagged("changed")["digest"])["layers"][2]["digest"])
    with count_sent(registry) as sent:
        crane("append", "--base", f"{registry.address}/crane/base:v1", "--new_layer", layer,
              "--new_tag", f"{registry.address}/crane/derived:v1")  # fmt: skip
    assert_sent_at_most(sent, 64 << 10)
    assert len(Stored(registry, "crane/derived", "v1").layers) == 4


def test_tags_are_added_listed_and_deleted(registry, images, crane, tmp_path):
    repository = f"{registry.address}/crane/listed"
    push(crane, images.all, "sbom", f"{repository}:v1", tmp_path / "pushed")
    for tag in ("v2", "latest", "a.b-c_d"):
        crane("tag", f"{repository}:v1", tag)
    assert crane("ls", repository).split() == ["a.b-c_d", "latest", "v1", "v2"]
    assert "crane/listed" in crane("catalog", registry.address).split()
    crane("delete", f"{repository}@{images.all.tagged('sbom')['digest']}")
    assert "MANIFEST_UNKNOWN" in crane("manifest", f"{repository}:v1", ok=False)

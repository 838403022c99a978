"""regctl pushes, pulls, lists and deletes images and referrers."""

import functools
import json

import pytest

from clients.oci_layout import Layout
from clients.sent_bytes import assert_sent_at_most, count_sent
from clients.stored import assert_stored
from fixtures.tools import go_tool


@pytest.fixture
def regctl(registry, run):
    regctl = functools.partial(run, go_tool("regctl"))
    regctl("registry", "set", "--tls=disabled", "--skip-check", registry.address)
    return regctl


def push(regctl, layout, name, target, *options):
    regctl("image", "copy", *options, f"ocidir://{layout.directory}:{name}", target)


@pytest.mark.parametrize("name", ["app", "zstd", "multi", "sbom"])
def test_image_is_pushed_and_pulled_unchanged(registry, images, regctl, tmp_path, name):
    target = f"{registry.address}/regctl/{name}:v1"
    push(regctl, images.all, name, target)
    assert_stored(registry, f"regctl/{name}", "v1", images.all, name)
    regctl("image", "copy", target, f"ocidir://{tmp_path}/pulled:{name}")
    expected = images.all.tagged(name)["digest"]
    assert Layout(tmp_path / "pulled").check(expected) == images.all.check(expected)


def test_image_is_pushed_in_chunks(registry, images, regctl):
    regctl("registry", "set", "--blob-chunk=1000000", "--blob-max=1000000", "--skip-check", registry.address)
    push(regctl, images.all, "app", f"{registry.address}/regctl/chunked:v1")
    assert_stored(registry, "regctl/chunked", "v1", images.all, "app")


def test_referrers_are_pulled_with_their_subject(registry, images, regctl, tmp_path):
    target = f"{registry.address}/regctl/with-sbom:v1"
    push(regctl, images.all, "app", target)
    push(regctl, images.all, "sbom", f"{registry.address}/regctl/with-sbom:sbom")
    sbom = images.all.tagged("sbom")["digest"]
    listed = json.loads(regctl("artifact", "list", "--format={{json .}}", target))
    assert [descriptor["digest"] for descriptor in listed["descriptors"]] == [sbom]
    regctl("image", "copy", "--referrers", target, f"ocidir://{tmp_path}/pulled:v1")
    assert Layout(tmp_path / "pulled").check(sbom) == images.all.check(sbom)
    assert regctl("artifact", "get", "--subject", target).encode() == images.all.blob(
        images.all.read_json(sbom)["layers"][0]["digest"]
    ).read_bytes()


def test_copy_to_a_second_repository_mounts_its_blobs(registry, images, regctl):
    push(regctl, images.all, "app", f"{registry.address}/regctl/source:v1")
    with count_sent(registry) as sent:
        regctl("image", "copy", f"{registry.address}/regctl/source:v1", f"{registry.address}/regctl/mounted:v1")
    assert_sent_at_most(sent, 64 << 10)
    assert_stored(registry, "regctl/mounted", "v1", images.all, "app")


def test_tags_and_manifests_are_listed_and_deleted(registry, images, regctl):
    repository = f"{registry.address}/regctl/listed"
    push(regctl, images.all, "app", f"{repository}:v1")
    push(regctl, images.all, "app", f"{repository}:v2")
    assert regctl("tag", "ls", repository).split() == ["v1", "v2"]
    assert "regctl/listed" in regctl("repo", "ls", registry.address).split()
    regctl("tag", "delete", f"{repository}:v1")
    assert regctl("tag", "ls", repository).split() == ["v2"]
    assert_stored(registry, "regctl/listed", "v2", images.all, "app")
    regctl("manifest", "delete", f"{repository}@{images.all.tagged('app')['digest']}")
    regctl("manifest", "get", f"{repository}:v2", ok=False)

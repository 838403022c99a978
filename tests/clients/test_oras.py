"""oras pushes, pulls, lists and deletes images, files and referrers."""

import functools
import json

import pytest

from clients.oci_layout import Layout
from clients.sent_bytes import assert_sent_at_most, count_sent
from clients.stored import Stored, assert_stored
from fixtures.tools import go_tool


@pytest.fixture
def oras(run):
    return functools.partial(run, go_tool("oras"))


def push(oras, layout, name, target, *options):
    oras("cp", *options, "--from-oci-layout", f"{layout.directory}:{name}", "--to-plain-http", target)


@pytest.mark.parametrize("name", ["app", "zstd", "multi", "sbom"])
def test_image_is_pushed_and_pulled_unchanged(registry, images, oras, tmp_path, name):
    target = f"{registry.address}/oras/{name}:v1"
    push(oras, images.all, name, target)
    assert_stored(registry, f"oras/{name}", "v1", images.all, name)
    oras("cp", "--from-plain-http", target, "--to-oci-layout", f"{tmp_path}/pulled:{name}")
    expected = images.all.tagged(name)["digest"]
    assert Layout(tmp_path / "pulled").check(expected) == images.all.check(expected)


def test_referrers_are_pushed_and_pulled_with_their_subject(registry, images, oras, tmp_path):
    target = f"{registry.address}/oras/with-sbom:v1"
    push(oras, images.all, "app", target, "--recursive")
    found = json.loads(oras("discover", "--plain-http", "--format=json", target))
    assert [referrer["digest"] for referrer in found["referrers"]] == [images.all.tagged("sbom")["digest"]]
    oras("cp", "--recursive", "--from-plain-http", target, "--to-oci-layout", f"{tmp_path}/pulled:v1")
    sbom = images.all.tagged("sbom")["digest"]
    assert Layout(tmp_path / "pulled").check(sbom) == images.all.check(sbom)


def test_files_and_attachments_are_pushed_and_pulled(registry, oras, tmp_path):
    target = f"{registry.address}/oras/files:v1"
    (tmp_path / "sent").mkdir()
    (tmp_path / "sent" / "report.txt").write_text("no findings\n")
    (tmp_path / "sent" / "empty").write_bytes(b"")
    oras("push", "--plain-http", target, "report.txt:text/plain", "empty", cwd=tmp_path / "sent")
    oras("attach", "--plain-http", "--artifact-type=test/signature", target, "report.txt", cwd=tmp_path / "sent")
    oras("attach", "--plain-http", "--artifact-type=test/other", target, "report.txt", cwd=tmp_path / "sent")
    only = oras("discover", "--plain-http", "--format=json", "--artifact-type=test/signature", target)
    assert [referrer["artifactType"] for referrer in json.loads(only)["referrers"]] == ["test/signature"]
    oras("pull", "--plain-http", "--output", tmp_path / "pulled", target)
    for file in (tmp_path / "sent").iterdir():
        assert (tmp_path / "pulled" / file.name).read_bytes() == file.read_bytes()


def test_copy_to_a_second_repository_mounts_its_blobs(registry, images, oras):
    push(oras, images.all, "app", f"{registry.address}/oras/source:v1")
    with count_sent(registry) as sent:
        oras("cp", "--from-plain-http", f"{registry.address}/oras/source:v1",
             "--to-plain-http", f"{registry.address}/oras/mounted:v1")  # fmt: skip
    assert_sent_at_most(sent, 64 << 10)
    assert_stored(registry, "oras/mounted", "v1", images.all, "app")


def test_tags_manifests_and_blobs_are_listed_and_deleted(registry, images, oras):
    repository = f"{registry.address}/oras/listed"
    push(oras, images.all, "sbom", f"{repository}:v1,v2,latest")
    assert oras("repo", "tags", "--plain-http", repository).split() == ["latest", "v1", "v2"]
    assert "oras/listed" in oras("repo", "ls", "--plain-http", registry.address).split()
    digest = Stored(registry, "oras/listed", "v1").digest
    oras("manifest", "delete", "--plain-http", "--force", f"{repository}@{digest}")
    oras("manifest", "fetch", "--plain-http", f"{repository}:v1", ok=False)
    layer = images.all.read_json(digest)["layers"][0]["digest"]
    oras("blob", "delete", "--plain-http", "--force", f"{repository}@{layer}")
    oras("blob", "fetch", "--plain-http", "--descriptor", f"{repository}@{layer}", ok=False)

"""skopeo copies, lists and deletes images unchanged."""

import functools
import json

import pytest

from clients.oci_layout import INDEX, Layout
from clients.sent_bytes import assert_sent_at_most, count_sent
from clients.stored import assert_stored
from fixtures import http


@pytest.fixture
def skopeo(run):
    return functools.partial(run, "skopeo", "--insecure-policy")


def push(skopeo, layout, name, target):
    skopeo("copy", "--all", "--preserve-digests", "--dest-tls-verify=false", f"oci:{layout.directory}:{name}", target)


@pytest.mark.parametrize("name", ["app", "zstd", "multi"])
def test_image_is_pushed_and_pulled_unchanged(registry, images, skopeo, tmp_path, name):
    target = f"docker://{registry.address}/skopeo/{name}:v1"
    push(skopeo, images.all, name, target)
    assert_stored(registry, f"skopeo/{name}", "v1", images.all, name)
    skopeo("copy", "--all", "--preserve-digests", "--src-tls-verify=false", target, f"oci:{tmp_path}/pulled:{name}")
    pulled = Layout(tmp_path / "pulled")
    expected = images.all.tagged(name)["digest"]
    assert pulled.tagged(name)["digest"] == expected
    assert pulled.check(expected) == images.all.check(expected)


def test_image_with_docker_media_types_is_pulled_unchanged(registry, images, skopeo, tmp_path):
    target = f"docker://{registry.address}/skopeo/converted:v1"
    source = f"oci:{images.all.directory}:app"
    skopeo("copy", "--format=v2s2", "--dest-tls-verify=false", source, target)
    skopeo("copy", "--src-tls-verify=false", target, f"dir:{tmp_path}/pulled")
    pulled = (tmp_path / "pulled" / "manifest.json").read_bytes()
    assert json.loads(pulled)["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert skopeo("inspect", "--raw", "--tls-verify=false", target).encode() == pulled


def test_copy_to_a_second_repository_mounts_its_blobs(registry, images, skopeo):
    push(skopeo, images.all, "app", f"docker://{registry.address}/skopeo/source:v1")
    with count_sent(registry) as sent:
        skopeo("copy", "--src-tls-verify=false", "--dest-tls-verify=false",
               f"docker://{registry.address}/skopeo/source:v1", f"docker://{registry.address}/skopeo/mounted:v1")  # fmt: skip
    assert_sent_at_most(sent, 64 << 10)
    assert_stored(registry, "skopeo/mounted", "v1", images.all, "app")


# A mirror that copies one platform of an image, and its index byte for byte.
def test_index_of_a_mirror_may_lack_platforms(make_registry, images, skopeo, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text('incomplete_manifests: [{repositories: ["mirror/**"], allow: [absent_children]}]')
    registry = make_registry(config={"policy_file": str(policy)})
    source = f"oci:{images.all.directory}:multi"
    index = images.all.tagged("multi")["digest"]

    def copy_index(repository, **options):
        return skopeo("copy", "--multi-arch=index-only", "--preserve-digests", "--dest-tls-verify=false", source,
                      f"docker://{registry.address}/{repository}:v1", **options)  # fmt: skip

    def copy_platform(*words):
        return skopeo("--override-os=linux", "--override-arch=arm64", "copy", "--preserve-digests", *words)

    # skopeo does not show why an index was refused.
    copy_index("other/multi", ok=False)
    assert http.request("GET", f"{registry.url}/v2/other/multi/manifests/v1").status == 404
    copy_index("mirror/multi")
    target = f"docker://{registry.address}/mirror/multi"
    # The platform arrives after its index. Its manifest has no tag.
    children = json.loads(images.all.blob(index).read_bytes())["manifests"]
    child = next(each["digest"] for each in children if each.get("platform", {}).get("architecture") == "arm64")
    copy_platform("--dest-tls-verify=false", source, f"{target}@{child}")
    answer = http.request("GET", f"{registry.url}/v2/mirror/multi/manifests/v1", headers={"Accept": INDEX})
    assert answer.headers["Docker-Content-Digest"] == index
    copy_platform("--src-tls-verify=false", f"{target}:v1", f"oci:{tmp_path}/pulled:multi")
    assert Layout(tmp_path / "pulled").tagged("multi")["digest"] == child
    assert "no violations" in registry.check_stopped()


def test_tags_are_listed_and_deleted(registry, images, skopeo):
    repository = f"docker://{registry.address}/skopeo/listed"
    push(skopeo, images.all, "app", f"{repository}:one")
    push(skopeo, images.all, "changed", f"{repository}:two")
    assert json.loads(skopeo("list-tags", "--tls-verify=false", repository))["Tags"] == ["one", "two"]
    inspected = json.loads(skopeo("inspect", "--tls-verify=false", f"{repository}:two"))
    assert inspected["Digest"] == images.all.tagged("changed")["digest"]
    skopeo("delete", "--tls-verify=false", f"{repository}:one")
    assert json.loads(skopeo("list-tags", "--tls-verify=false", repository))["Tags"] == ["two"]

"""podman pushes and pulls images in all its formats; a change sends only the changed layers."""

import json

import pytest

from clients.container_storage import podman_at
from clients.oci_layout import MANIFEST
from clients.sent_bytes import assert_sent_at_most, count_sent
from clients.stored import DOCKER_MANIFEST, Stored
from clients.uncompressed import layout_diff_ids, saved_diff_ids, stored_diff_ids
from fixtures.scratch import scratch


@pytest.fixture(scope="module")
def podman(run, tmp_path_factory):
    with scratch(tmp_path_factory, "pushing") as directory, podman_at(run, directory / "storage") as podman:
        yield podman


@pytest.fixture
def puller(run, tmp_path):
    """The same program with an empty storage."""
    with podman_at(run, tmp_path / "pulling") as podman:
        yield podman


def inspect(podman, image):
    return json.loads(podman("image", "inspect", image))[0]


def load(podman, layout, name):
    """Copies an image of the layout into podman's storage -> its id."""
    return podman("pull", "--quiet", f"oci:{layout.directory}:{name}").split()[-1]


def push(podman, image, target, *options):
    podman("push", "--quiet", "--tls-verify=false", *options, image, target)


def assert_pulls(puller, target, image_id, diff_ids, scratch):
    puller("pull", "--quiet", "--tls-verify=false", target)
    assert inspect(puller, target)["Id"] == image_id
    puller("save", "--quiet", "--output", scratch / "saved.tar", target)
    assert saved_diff_ids(scratch / "saved.tar") == diff_ids
    (scratch / "saved.tar").unlink()


@pytest.mark.parametrize(
    "options, media_type",
    [
        (["--format=oci"], MANIFEST),
        (["--format=v2s2"], DOCKER_MANIFEST),
        (["--format=oci", "--compression-format=zstd"], MANIFEST),
        (["--format=oci", "--compression-format=zstd:chunked"], MANIFEST),
    ],
    ids=["oci", "docker", "zstd", "zstd-chunked"],
)
def test_image_is_pushed_and_pulled_unchanged(registry, images, podman, puller, tmp_path, options, media_type):
    image = load(podman, images.all, "app")
    name = "podman/" + options[-1].split("=")[1].replace(":", "-")
    push(podman, image, f"{registry.address}/{name}:v1", *options)
    stored = Stored(registry, name, "v1")
    assert stored.media_type == media_type
    diff_ids = layout_diff_ids(images.all, "app")
    assert stored_diff_ids(registry, name, stored) == diff_ids
    assert_pulls(puller, f"{registry.address}/{name}:v1", stored.config_digest.split(":")[1], diff_ids, tmp_path)


def test_image_of_several_platforms_is_pushed_and_pulled(registry, images, podman, puller):
    repository = f"{registry.address}/podman/multi"
    podman("manifest", "create", "list")
    podman("manifest", "add", "--all", "list", f"oci:{images.all.directory}:multi")
    podman("manifest", "push", "--all", "--tls-verify=false", "list", f"docker://{repository}:v1")
    podman("manifest", "rm", "list")
    stored = Stored(registry, "podman/multi", "v1")
    assert {child["platform"]["architecture"] for child in stored.manifest["manifests"]} == {"amd64", "arm64"}
    for child, image in zip(stored.manifest["manifests"], stored.children):
        architecture = child["platform"]["architecture"]
        puller("pull", "--quiet", "--tls-verify=false", f"--arch={architecture}", f"{repository}:v1")
        assert inspect(puller, f"{repository}:v1")["Id"] == image.config_digest.split(":")[1]


def test_push_sends_only_changed_blobs_and_mounts_in_a_second_repository(registry, images, podman):
    repository = f"{registry.address}/podman/changing"
    push(podman, load(podman, images.all, "app"), f"{repository}:v1")
    before = Stored(registry, "podman/changing", "v1")
    changed = load(podman, images.all, "changed")
    with count_sent(registry) as sent:
        push(podman, changed, f"{repository}:v2")
    after = Stored(registry, "podman/changing", "v2")
    assert after.layers[:2] == before.layers[:2] and after.layers[2] != before.layers[2]
    assert_sent_at_most(sent, sum(size for digest, size in after.sizes.items() if digest not in before.sizes))

    with count_sent(registry) as sent:
        push(podman, changed, f"{registry.address}/podman/second/repository:v1")
    assert_sent_at_most(sent, 64 << 10)
    assert Stored(registry, "podman/second/repository", "v1").layers == after.layers


def test_layer_of_more_than_a_gib_is_pushed_and_pulled_unchanged(registry, images, podman, puller, tmp_path):
    image = load(podman, images.big, "big")
    push(podman, image, f"{registry.address}/podman/big:v1")
    stored = Stored(registry, "podman/big", "v1")
    diff_ids = layout_diff_ids(images.big, "big")
    target = f"{registry.address}/podman/big:v1"
    assert_pulls(puller, target, stored.config_digest.split(":")[1], diff_ids, tmp_path)

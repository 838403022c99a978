"""docker builds, pushes and pulls images; a change sends only the changed layers."""

import json
import re

import pytest

from clients.build_context import BuildContext
from clients.docker_engine import docker_engine
from clients.sent_bytes import assert_sent_at_most, count_sent
from clients.stored import DOCKER_MANIFEST, Stored
from clients.uncompressed import layout_diff_ids, saved_diff_ids, stored_diff_ids
from fixtures.scratch import scratch


@pytest.fixture(scope="module")
def docker(images, run, tmp_path_factory):
    with scratch(tmp_path_factory, "docker") as directory, docker_engine(directory / "engine", run) as docker:
        yield docker


@pytest.fixture(scope="module")
def puller(images, run, tmp_path_factory):
    """A second engine, which is empty."""
    with scratch(tmp_path_factory, "puller") as directory, docker_engine(directory / "engine", run) as docker:
        yield docker


@pytest.fixture(scope="module")
def context(images, docker, tmp_path_factory):
    with scratch(tmp_path_factory, "build") as directory:
        context = BuildContext(directory / "context", images.base_tar)
        docker("build", "--tag=built", context.directory)
        yield context


def inspect(docker, image):
    return json.loads(docker("image", "inspect", image))[0]


def push(docker, image, target):
    """Pushes the image -> the digest in the registry's answer."""
    docker("tag", image, target)
    return re.search(r"digest: (sha256:\w+)", docker("push", target))[1]


def assert_pulls(puller, target, image_id, diff_ids, scratch):
    puller("pull", target)
    assert inspect(puller, target)["Id"] == image_id
    puller("save", "--output", scratch / "saved.tar", target)
    assert saved_diff_ids(scratch / "saved.tar") == diff_ids
    (scratch / "saved.tar").unlink()
    puller("image", "rm", target)


def load(docker, run, layout, name, scratch):
    """Loads an image of the layout, as a docker archive: this engine loads no OCI layouts."""
    archive = scratch / f"{name}.tar"
    run("skopeo", "--insecure-policy", "copy", f"oci:{layout.directory}:{name}",
        f"docker-archive:{archive}:localhost/{name}:loaded")  # fmt: skip
    docker("load", "--input", archive)
    archive.unlink()
    return f"localhost/{name}:loaded"


def test_built_image_is_pushed_and_pulled_unchanged(registry, docker, puller, context, tmp_path):
    target = f"{registry.address}/docker/built:v1"
    built = inspect(docker, "built")
    digest = push(docker, "built", target)
    stored = Stored(registry, "docker/built", "v1")
    assert (stored.digest, stored.media_type) == (digest, DOCKER_MANIFEST)
    assert stored.config_digest == built["Id"]
    assert stored_diff_ids(registry, "docker/built", stored) == built["RootFS"]["Layers"]
    assert_pulls(puller, target, built["Id"], built["RootFS"]["Layers"], tmp_path)
    by_digest = f"{registry.address}/docker/built@{digest}"
    assert_pulls(puller, by_digest, built["Id"], built["RootFS"]["Layers"], tmp_path)


def test_push_sends_only_changed_blobs_and_mounts_in_a_second_repository(registry, docker, context):
    push(docker, "built", f"{registry.address}/docker/changing:v1")
    before = Stored(registry, "docker/changing", "v1")
    context.change_a_line()
    docker("build", "--tag=built", context.directory)
    with count_sent(registry) as sent:
        push(docker, "built", f"{registry.address}/docker/changing:v2")
    after = Stored(registry, "docker/changing", "v2")
    assert after.layers[:2] == before.layers[:2] and after.layers[2] != before.layers[2]
    assert_sent_at_most(sent, sum(size for digest, size in after.sizes.items() if digest not in before.sizes))

    with count_sent(registry) as sent:
        push(docker, "built", f"{registry.address}/docker/second/repository:v1")
    assert_sent_at_most(sent, after.sizes[after.digest] + after.sizes[after.config_digest])
    assert Stored(registry, "docker/second/repository", "v1").digest == after.digest


def test_loaded_image_is_pushed_and_pulled_unchanged(registry, images, docker, puller, run, tmp_path):
    image = load(docker, run, images.all, "app", tmp_path)
    target = f"{registry.address}/docker/loaded:v1"
    push(docker, image, target)
    assert_pulls(puller, target, inspect(docker, image)["Id"], layout_diff_ids(images.all, "app"), tmp_path)


def test_image_of_several_platforms_is_pulled_and_pushed(registry, images, docker, run, tmp_path):
    repository = f"{registry.address}/docker/multi"
    run("skopeo", "--insecure-policy", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false",
        f"oci:{images.all.directory}:multi", f"docker://{repository}:pushed")  # fmt: skip
    index = images.all.read_json(images.all.tagged("multi")["digest"])
    for child in index["manifests"]:
        architecture = child["platform"]["architecture"]
        docker("pull", f"--platform=linux/{architecture}", f"{repository}:pushed")
        assert inspect(docker, f"{repository}:pushed")["Architecture"] == architecture
        assert inspect(docker, f"{repository}:pushed")["Id"] == images.all.read_json(child["digest"])["config"]["digest"]
        push(docker, f"{repository}:pushed", f"{repository}:{architecture}")
        docker("image", "rm", f"{repository}:pushed")
    docker("manifest", "create", "--insecure", f"{repository}:made", f"{repository}:amd64", f"{repository}:arm64")
    docker("manifest", "push", "--insecure", "--purge", f"{repository}:made")
    made = Stored(registry, "docker/multi", "made")
    assert {child["platform"]["architecture"] for child in made.manifest["manifests"]} == {"amd64", "arm64"}


def test_layer_of_more_than_a_gib_is_pushed_and_pulled_unchanged(registry, images, docker, puller, run, tmp_path):
    image = load(docker, run, images.big, "big", tmp_path)
    target = f"{registry.address}/docker/big:v1"
    push(docker, image, target)
    Stored(registry, "docker/big", "v1")
    assert_pulls(puller, target, inspect(docker, image)["Id"], layout_diff_ids(images.big, "big"), tmp_path)
    docker("image", "rm", image, target)

"""buildah builds, pushes and pulls images; a change sends only the changed layers."""

import contextlib
import functools
import json

import pytest

from clients.build_context import BuildContext
from clients.container_storage import container_storage
from clients.sent_bytes import assert_sent_at_most, count_sent
from clients.stored import Stored
from clients.uncompressed import stored_diff_ids
from fixtures.scratch import scratch


@contextlib.contextmanager
def buildah_at(run, directory):
    """buildah(argv...) with storage of its own."""
    with container_storage(directory) as env:
        yield functools.partial(run, "buildah", env=env)


@pytest.fixture(scope="module")
def buildah(run, tmp_path_factory):
    with scratch(tmp_path_factory, "pushing") as directory, buildah_at(run, directory / "storage") as buildah:
        yield buildah


@pytest.fixture
def puller(run, tmp_path):
    """The same program with an empty storage."""
    with buildah_at(run, tmp_path / "pulling") as buildah:
        yield buildah


@pytest.fixture(scope="module")
def context(images, buildah, tmp_path_factory):
    """What the image "built" was built from."""
    with scratch(tmp_path_factory, "build") as directory:
        context = BuildContext(directory / "context", images.base_tar)
        build(buildah, context)
        yield context


def build(buildah, context):
    buildah("build", "--quiet", "--isolation=chroot", "--layers", "--tag=built", context.directory)


def diff_ids(buildah, image):
    return json.loads(buildah("inspect", "--type=image", image))["OCIv1"]["rootfs"]["diff_ids"]


def image_id(buildah, image):
    return json.loads(buildah("inspect", "--type=image", image))["FromImageID"]


def push(buildah, image, target, *options):
    buildah("push", "--quiet", "--tls-verify=false", *options, image, target)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_built_image_is_pushed_and_pulled_unchanged(registry, buildah, puller, context, compression):
    # buildah pushes no layer that the registry has in another compression, so the image must be a new one.
    context.change_program()
    build(buildah, context)
    target = f"{registry.address}/buildah/{compression}:v1"
    push(buildah, "built", target, f"--compression-format={compression}")
    stored = Stored(registry, f"buildah/{compression}", "v1")
    assert stored_diff_ids(registry, f"buildah/{compression}", stored) == diff_ids(buildah, "built")
    puller("pull", "--quiet", "--tls-verify=false", target)
    assert diff_ids(puller, target) == diff_ids(buildah, "built")
    assert image_id(puller, target) == stored.config_digest.split(":")[1]


def test_push_sends_no_layers_of_a_base_in_the_registry(registry, buildah, puller, context, tmp_path):
    push(buildah, "built", f"{registry.address}/buildah/base:v1")
    container = puller("from", "--tls-verify=false", f"{registry.address}/buildah/base:v1").strip()
    (tmp_path / "added").write_text("an added file\n")
    puller("copy", container, tmp_path / "added", "/added")
    puller("commit", "--quiet", container, "derived")
    with count_sent(registry) as sent:
        push(puller, "derived", f"{registry.address}/buildah/derived:v1")
    assert_sent_at_most(sent, 64 << 10)
    base, derived = Stored(registry, "buildah/base", "v1"), Stored(registry, "buildah/derived", "v1")
    assert derived.layers[:3] == base.layers and len(derived.layers) == 4


def test_push_after_a_change_sends_only_changed_blobs(registry, buildah, context):
    repository = f"{registry.address}/buildah/changing"
    push(buildah, "built", f"{repository}:v1")
    before = Stored(registry, "buildah/changing", "v1")
    context.change_a_line()
    build(buildah, context)
    with count_sent(registry) as sent:
        push(buildah, "built", f"{repository}:v2")
    after = Stored(registry, "buildah/changing", "v2")
    assert after.layers[:2] == before.layers[:2] and after.layers[2] != before.layers[2]
    assert_sent_at_most(sent, sum(size for digest, size in after.sizes.items() if digest not in before.sizes))


def test_image_of_several_platforms_is_pushed(registry, images, buildah):
    buildah("manifest", "create", "list")
    buildah("manifest", "add", "--all", "list", f"oci:{images.all.directory}:multi")
    buildah("manifest", "push", "--all", "--tls-verify=false", "list", f"docker://{registry.address}/buildah/multi:v1")
    buildah("manifest", "rm", "list")
    stored = Stored(registry, "buildah/multi", "v1")
    assert {child["platform"]["architecture"] for child in stored.manifest["manifests"]} == {"amd64", "arm64"}

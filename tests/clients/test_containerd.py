"""containerd pushes, pulls and unpacks images unchanged."""

import contextlib
import tarfile

import pytest

from clients.containerd_engine import containerd_engine
from clients.oci_layout import Layout
from clients.stored import assert_stored


@pytest.fixture
def containerd(images, run, tmp_path):
    """containerd(name): starts a separate, empty containerd -> ctr(argv...)."""
    with contextlib.ExitStack() as stack:
        yield lambda name: stack.enter_context(containerd_engine(tmp_path / name, run))


def import_layout(ctr, layout, scratch):
    """Imports the image of each tag NAME of the layout as test:NAME."""
    with tarfile.open(scratch / "layout.tar", "w") as tar:
        tar.add(layout.directory, ".")
    ctr("images", "import", "--all-platforms", "--no-unpack", "--base-name=test", scratch / "layout.tar")
    (scratch / "layout.tar").unlink()


def push(ctr, name, target):
    ctr("images", "tag", f"test:{name}", target)
    ctr("images", "push", "--plain-http", target)


@pytest.mark.parametrize("name", ["app", "zstd", "multi", "sbom"])
def test_image_is_pushed_and_pulled_unchanged(registry, images, containerd, tmp_path, name):
    target = f"{registry.address}/ctr/{name}:v1"
    pusher, puller = containerd("pusher"), containerd("puller")
    import_layout(pusher, images.all, tmp_path)
    push(pusher, name, target)
    assert_stored(registry, f"ctr/{name}", "v1", images.all, name)
    expected = images.all.tagged(name)["digest"]
    puller("content", "fetch", "--plain-http", "--all-platforms", target)
    puller("images", "export", "--all-platforms", tmp_path / "pulled.tar", target)
    with tarfile.open(tmp_path / "pulled.tar") as tar:
        tar.extractall(tmp_path / "pulled")
    assert Layout(tmp_path / "pulled").check(expected) == images.all.check(expected)


@pytest.mark.parametrize("name", ["app", "zstd", "multi"])
def test_image_is_pulled_and_unpacked(registry, images, containerd, tmp_path, name):
    target = f"{registry.address}/ctr/unpacked:{name}"
    pusher, puller = containerd("pusher"), containerd("puller")
    import_layout(pusher, images.all, tmp_path)
    push(pusher, name, target)
    assert "unpacking" in puller("images", "pull", "--plain-http", target)
    assert images.all.tagged(name)["digest"] in puller("images", "list")
    assert "complete" in puller("images", "check")

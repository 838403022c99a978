"""helm pushes and pulls charts, and finds their versions."""

import functools

import pytest

from clients.stored import Stored
from fixtures.tools import go_tool


@pytest.fixture
def helm(run):
    return functools.partial(run, go_tool("helm"))


@pytest.mark.parametrize("version", ["0.1.0", "1.2.3-rc.1+build.5"])
def test_chart_is_pushed_and_pulled_unchanged(registry, helm, tmp_path, version):
    helm("create", tmp_path / "shop")
    helm("package", tmp_path / "shop", "--version", version, "--destination", tmp_path)
    chart = tmp_path / f"shop-{version}.tgz"
    helm("push", "--plain-http", chart, f"oci://{registry.address}/charts")
    (tmp_path / "pulled").mkdir()
    helm("pull", "--plain-http", f"oci://{registry.address}/charts/shop", "--version", version, "-d", tmp_path / "pulled")
    pulled = next((tmp_path / "pulled").iterdir())
    assert pulled.read_bytes() == chart.read_bytes()
    assert f"version: {version}" in helm(
        "show", "chart", "--plain-http", f"oci://{registry.address}/charts/shop", "--version", version
    )
    # A tag cannot contain "+": helm writes "_" instead.
    stored = Stored(registry, "charts/shop", version.replace("+", "_"))
    assert stored.media_type == "application/vnd.oci.image.manifest.v1+json"
    assert stored.manifest["config"]["mediaType"] == "application/vnd.cncf.helm.config.v1+json"


def test_newest_version_is_found_by_its_tag(registry, helm, tmp_path):
    helm("create", tmp_path / "many")
    for version in ("1.0.0", "1.10.0", "1.9.0"):
        helm("package", tmp_path / "many", "--version", version, "--destination", tmp_path)
        helm("push", "--plain-http", tmp_path / f"many-{version}.tgz", f"oci://{registry.address}/charts")
    shown = helm("show", "chart", "--plain-http", f"oci://{registry.address}/charts/many", "--version", "^1.0")
    assert "version: 1.10.0" in shown

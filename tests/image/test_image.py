"""The container image: what is in it, that it is the same each time, and that it is a registry when it runs."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile

import pytest

from fixtures import http
from fixtures.polling import wait_for
from fixtures.ports import free_port
from fixtures.registry import PROGRAMS, ROOT

USER = 65532
SPDX = "application/spdx+json"


def run_image(directory):
    return subprocess.run([sys.executable, ROOT / "scripts/image.py", "--programs", PROGRAMS, "--output", directory,
                           "--version", "1.2.3-test+4", "--revision", "abc", "--created", "1700000000"], check=False,
                          capture_output=True, text=True)  # fmt: skip


def make(directory):
    """-> the directory of a layout."""
    run_image(directory).check_returncode()
    return directory


class Layout:
    def __init__(self, directory):
        self.directory = directory
        self.image, self.sbom = json.loads((directory / "index.json").read_text())["manifests"]

    def blob(self, descriptor):
        return (self.directory / "blobs/sha256" / descriptor["digest"].removeprefix("sha256:")).read_bytes()

    def json(self, descriptor):
        return json.loads(self.blob(descriptor))


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    directory = tmp_path_factory.mktemp("image") / "image"
    yield Layout(make(directory))
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def files(layout):
    """{path: its tarfile.TarInfo}"""
    found = {}
    for layer in layout.json(layout.image)["layers"]:
        with tarfile.open(fileobj=io.BytesIO(layout.blob(layer))) as tar:
            found.update({entry.name: entry for entry in tar})
    return found


def test_the_same_programs_give_the_same_image(layout, tmp_path):
    # What it made before is replaced.
    (tmp_path / "again/blobs").mkdir(parents=True)
    (tmp_path / "again/blobs/stale").touch()
    for name in ("oci-layout", "index.json"):
        shutil.copy(layout.directory / name, tmp_path / "again")
    again = Layout(make(tmp_path / "again"))
    assert not (tmp_path / "again/blobs/stale").exists()
    assert again.image == layout.image and again.sbom == layout.sbom
    shutil.rmtree(tmp_path / "again")


@pytest.mark.parametrize("index", ['{"manifests": []}', '{"annotations": {"invalid.entrepot.made-by": "x"}}', "[]", "no JSON"])
def test_a_layout_of_others_is_not_replaced(index, tmp_path):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (tmp_path / "index.json").write_text(index)
    result = run_image(tmp_path)
    assert result.returncode == 1 and "was not made by scripts/image" in result.stderr
    assert (tmp_path / "index.json").read_text() == index


def test_it_has_the_programs_and_no_shell(files):
    programs = {name.removeprefix("usr/bin/") for name in files if name.startswith("usr/bin/")}
    assert programs == {"entrepot", "entrepot-auth", "entrepot-blob", "entrepot-gateway", "entrepot-manifest",
                        "entrepot-upstream", "entrepotctl"}  # fmt: skip
    assert not any(name.startswith("usr/sbin/") for name in files)
    for name, entry in files.items():
        assert not entry.mode & 0o6000, f"{name} runs as another user"
        assert not entry.mode & 0o002 or name == "tmp" or entry.issym(), f"{name} is writable by all"
        assert entry.uid == entry.gid == (USER if name == "var/lib/entrepot" else 0), name
        assert entry.mtime == 1700000000, name
    assert "var/lib/dpkg/status.d/libc6" in files


def test_it_runs_as_another_user_than_root(layout):
    config = layout.json(layout.json(layout.image)["config"])
    assert config["os"] == "linux" and config["config"]["User"] == f"{USER}:{USER}"
    labels = config["config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == "1.2.3-test+4"
    assert labels["org.opencontainers.image.revision"] == "abc"
    assert labels["org.opencontainers.image.created"] == config["created"] == "2023-11-14T22:13:20Z"


def test_the_sbom_names_the_image_and_its_packages(layout):
    manifest = layout.json(layout.sbom)
    assert manifest["subject"]["digest"] == layout.image["digest"]
    assert manifest["artifactType"] == SPDX
    document = layout.json(manifest["layers"][0])
    assert document["spdxVersion"] == "SPDX-2.3"
    packages = {package["name"] for package in document["packages"]}
    assert {"entrepot", "libc6", "librocksdb7.8", "ca-certificates"} <= packages
    assert len({package["SPDXID"] for package in document["packages"]}) == len(document["packages"])


def test_it_is_pushed_with_its_sbom(layout, own_registry):
    done = subprocess.run([PROGRAMS / "entrepotctl", "import", layout.directory, "tools/entrepot:test"], check=False,
                          env={"ENTREPOT_REGISTRY": own_registry.url}, capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert own_registry.request("GET", "/v2/tools/entrepot/manifests/test").body == layout.blob(layout.image)
    answer = own_registry.request("GET", f"/v2/tools/entrepot/referrers/{layout.image['digest']}").json()
    assert [(each["digest"], each["artifactType"]) for each in answer["manifests"]] == [(layout.sbom["digest"], SPDX)]


@pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")
def test_it_is_a_registry_when_it_runs(layout, tmp_path):
    """In its files alone, as its user, without capabilities."""
    root = tmp_path / "root"
    for layer in layout.json(layout.image)["layers"]:
        with tarfile.open(fileobj=io.BytesIO(layout.blob(layer))) as tar:
            tar.extractall(root, numeric_owner=True)
    port = free_port()
    (root / "etc/entrepot/test.yaml").write_text(
        f"listen: {{address: 127.0.0.1, port: {port}}}\noperator: {{port: {free_port()}}}\n"
        "data_directory: /var/lib/entrepot\n"
    )

    def enter():
        os.chroot(root)
        os.chdir("/var/lib/entrepot")
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)

    def run(*argv):
        return subprocess.Popen(argv, preexec_fn=enter, env={"PATH": "/usr/bin"}, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)  # fmt: skip

    assert run("entrepotctl", "--version").communicate(timeout=60)[0].startswith("entrepotctl ")
    with pytest.raises(FileNotFoundError):
        run("sh")
    registry = run("entrepot", "--config=/etc/entrepot/test.yaml")
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: _answers(url), seconds=60)
        done = subprocess.run([PROGRAMS / "entrepotctl", "import", layout.directory, "self/entrepot"], check=False,
                              env={"ENTREPOT_REGISTRY": url}, capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        registry.send_signal(signal.SIGTERM)
        assert registry.wait(timeout=60) == 0, registry.stdout.read()
    finally:
        registry.kill()
        registry.communicate()
        shutil.rmtree(root)


def _answers(url):
    try:
        return http.request("GET", f"{url}/v2/", timeout=5).status == 200
    except OSError:
        return False

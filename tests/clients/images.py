"""The images that clients push: OCI layouts based on a Debian root file system."""

import contextlib
import fcntl
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile

from clients.debian_root import debian_root
from clients.oci_layout import CONFIG, EMPTY, INDEX, LAYER, MANIFEST, Layout

BIG_LAYER_BYTES = 1100 << 20


class Images:
    """Layouts, each made on first use:

    .all    "app" (three gzip layers on the base), "changed" (app after a one-line change), "zstd" (app with zstd
            layers), "multi" (an index of two platforms on one base), "sbom" (an artifact whose subject is app)
    .big    "big": the base and an incompressible layer of more than a GiB
    .small  two images of some KiB, each in its own layout: {"one": Layout, "two": Layout}

    Several processes may use the same directory at the same time: the first that needs a layout makes it for all.
    """

    def __init__(self, directory):
        self._directory = directory
        self._base = debian_root()

    @property
    def base_tar(self):
        return self._base / "base.tar"

    @property
    def all(self):
        return self._layout("all", self._make_all)

    @property
    def big(self):
        return self._layout("big", self._make_big)

    @property
    def small(self):
        return {name: self._layout(f"small-{name}", lambda layout: self._make_small(layout, name)) for name in ("one", "two")}

    def _layout(self, name, make):
        directory = self._directory / name
        if not directory.exists():
            with _locked(self._directory / "lock"):
                if not directory.exists():
                    new = self._directory / "new"
                    shutil.rmtree(new, ignore_errors=True)
                    make(Layout.create(new))
                    new.rename(directory)
        return Layout(directory)

    def _make_small(self, layout, name):
        tars = [_settings_layer("shared: yes\n"), _settings_layer(f"name: {name}\n")]
        layers = [layout.add_bytes(f"{LAYER}+gzip", _compress("gzip", tar)) for tar in tars]
        diff_ids = ["sha256:" + hashlib.sha256(tar).hexdigest() for tar in tars]
        layout.tag(_add_manifest(layout, layers, diff_ids, "amd64"), name)

    def _make_all(self, layout):
        program, before, after = _program_layer(), _settings_layer("colour: red\n"), _settings_layer("colour: blue\n")
        app = self._add_image(layout, [program, before])
        layout.tag(app, "app")
        layout.tag(self._add_image(layout, [program, after]), "changed")
        layout.tag(self._add_image(layout, [program, before], compression="zstd"), "zstd")
        arm = self._add_image(layout, [_settings_layer("colour: green\n")], architecture="arm64")
        platforms = [
            {**app, "platform": {"os": "linux", "architecture": "amd64"}},
            {**arm, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        ]
        layout.tag(layout.add_json(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": platforms}), "multi")
        layout.tag(_add_sbom(layout, app), "sbom")

    def _make_big(self, layout):
        tar = self._directory / "big.tar"
        random = self._directory / "random"
        with open(random, "wb") as file:
            subprocess.run(["head", "-c", str(BIG_LAYER_BYTES), "/dev/urandom"], stdout=file, check=True)
        with tarfile.open(tar, "w") as archive:
            archive.add(random, "var/data/random")
        random.unlink()
        layer = layout.add_file(LAYER, tar)
        base = layout.add_file(LAYER + "+gzip", self._base / "base.tar.gz")
        layout.tag(_add_manifest(layout, [base, layer], [_digest_of(self.base_tar), layer["digest"]], "amd64"), "big")
        tar.unlink()

    def _add_image(self, layout, tars, compression="gzip", architecture="amd64"):
        suffix = {"gzip": "gz", "zstd": "zst"}[compression]
        layers = [layout.add_file(f"{LAYER}+{compression}", self._base / f"base.tar.{suffix}")]
        layers += [layout.add_bytes(f"{LAYER}+{compression}", _compress(compression, tar)) for tar in tars]
        diff_ids = [_digest_of(self.base_tar)] + ["sha256:" + hashlib.sha256(tar).hexdigest() for tar in tars]
        return _add_manifest(layout, layers, diff_ids, architecture)


@contextlib.contextmanager
def _locked(path):
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _add_manifest(layout, layers, diff_ids, architecture):
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": {"Cmd": ["/bin/sh"], "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": "2026-01-01T00:00:00Z", "created_by": f"layer {n}"} for n in range(len(layers))],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": layout.add_json(CONFIG, config),
        "layers": layers,
        "annotations": {"org.opencontainers.image.title": "Ünïcode & <escapes>"},
    }
    return layout.add_json(MANIFEST, manifest)


def _add_sbom(layout, subject):
    """An artifact that lists the packages of `subject`."""
    packages = json.dumps({"packages": [f"package-{n}" for n in range(500)]}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/spdx+json",
        "config": layout.add_bytes(EMPTY, b"{}"),
        "layers": [layout.add_bytes("application/spdx+json", packages)],
        "subject": subject,
    }
    return layout.add_json(MANIFEST, manifest)


def _program_layer():
    """Some MiB of files of various sizes, links, directories, and the deletion of a file of the base."""
    files = {f"opt/program/lib/part{n}": os.urandom(1 << n) for n in range(0, 22, 3)}
    files["opt/program/empty"] = b""
    files["usr/share/.wh.doc"] = b""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            _add_to_tar(archive, name, data)
        link = tarfile.TarInfo("opt/program/current")
        link.type, link.linkname = tarfile.SYMTYPE, "lib/part0"
        archive.addfile(link)
        hard = tarfile.TarInfo("opt/program/again")
        hard.type, hard.linkname = tarfile.LNKTYPE, "opt/program/lib/part3"
        archive.addfile(hard)
    return buffer.getvalue()


def _settings_layer(text):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        _add_to_tar(archive, "etc/program.yaml", text.encode())
    return buffer.getvalue()


def _add_to_tar(archive, name, data):
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    entry.mtime = 1767225600
    archive.addfile(entry, io.BytesIO(data))


def _compress(compression, data):
    if compression == "gzip":
        return gzip.compress(data, mtime=0)
    return subprocess.run(["zstd", "-q"], input=data, capture_output=True, check=True).stdout


def _digest_of(path):
    known = path.with_suffix(path.suffix + ".sha256")
    if not known.exists():
        known.write_text(subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout[:64])
    return "sha256:" + known.read_text()

"""Images for pods that only have to be there."""

import io
import json
import os
import pathlib
import subprocess
import tarfile

from clients.oci_layout import CONFIG, LAYER, MANIFEST, Layout

NAME = "io.containerd.image.name"


def make_image(directory, content_bytes=0):
    """Makes an OCI layout with one image, tagged "image", of a program that waits, and so many bytes that no other image has
    -> Layout."""
    layout = Layout.create(directory)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, data, mode in (("pause", _program(directory), 0o755), ("content", os.urandom(content_bytes), 0o644)):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))
    layer = layout.add_bytes(LAYER, archive.getvalue())
    config = {"architecture": _architecture(), "os": "linux", "config": {"Entrypoint": ["/pause"], "User": "65532:65532"},
              "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}  # fmt: skip
    config = layout.add_json(CONFIG, config)
    layout.tag(layout.add_json(MANIFEST, {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}), "image")
    return layout


def import_image(run, directory, name):
    """Brings the image of an OCI layout into containerd under that name, for the kubelet. Other manifests of the layout, such as
    an SBOM, stay behind. `run`: runs a program beside containerd."""
    index = json.loads((directory / "index.json").read_text())
    image = index["manifests"][0]
    index["manifests"] = [{**image, "annotations": {NAME: name}}]
    archive = directory.with_suffix(".tar")
    with tarfile.open(archive, "w") as tar:
        tar.add(directory / "oci-layout", "oci-layout")
        tar.add(directory / "blobs", "blobs")
        data = json.dumps(index).encode()
        entry = tarfile.TarInfo("index.json")
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    try:
        run("ctr", "--namespace=k8s.io", "images", "import", archive)
    finally:
        archive.unlink()


def _program(directory):
    program = directory / "pause"
    source = pathlib.Path(__file__).with_name("pause.c")
    subprocess.run(["gcc", "-static", "-O1", "-Wall", "-Werror", "-o", program, source], check=True)
    data = program.read_bytes()
    program.unlink()
    return data


def _architecture():
    return subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()

"""Digests of uncompressed layers, for clients that compress layers again."""

import hashlib
import json
import subprocess
import tarfile

from fixtures import http

_DECOMPRESS = {"gzip": ["gzip", "-dc"], "zstd": ["zstd", "-dc"], "tar": ["cat"]}


def stored_diff_ids(registry, repository, stored):
    """-> the digests of the uncompressed layers in the registry. Checks that they are those of the image's config."""
    found = []
    for layer in stored.manifest["layers"]:
        compression = layer["mediaType"].replace("+", ".").rpartition(".")[2]
        body = http.request("GET", f"{registry.url}/v2/{repository}/blobs/{layer['digest']}").body
        tar = subprocess.run(_DECOMPRESS[compression], input=body, capture_output=True, check=True).stdout
        found.append("sha256:" + hashlib.sha256(tar).hexdigest())
    config = http.request("GET", f"{registry.url}/v2/{repository}/blobs/{stored.config_digest}").json()
    assert found == config["rootfs"]["diff_ids"]
    return found


def saved_diff_ids(archive):
    """-> the digests of the layers in an archive of `docker save` or `podman save`."""
    with tarfile.open(archive) as tar:
        names = json.load(tar.extractfile("manifest.json"))[0]["Layers"]
        found = []
        for name in names:
            file, digest = tar.extractfile(name), hashlib.sha256()
            while chunk := file.read(1 << 20):
                digest.update(chunk)
            found.append("sha256:" + digest.hexdigest())
        return found


def layout_diff_ids(layout, name):
    manifest = layout.read_json(layout.tagged(name)["digest"])
    return layout.read_json(manifest["config"]["digest"])["rootfs"]["diff_ids"]

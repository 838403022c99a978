"""OCI image layouts: writes the images to push, and checks the images that clients pulled."""

import hashlib
import json
import os
import shutil

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


def file_digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return "sha256:" + digest.hexdigest()


class Layout:
    def __init__(self, directory):
        self.directory = directory

    @classmethod
    def create(cls, directory):
        (directory / "blobs" / "sha256").mkdir(parents=True)
        (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}))
        return cls(directory)

    def blob(self, digest):
        return self.directory / "blobs" / digest.replace(":", "/")

    def add_bytes(self, media_type, data):
        """Adds a blob -> its descriptor."""
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.blob(digest).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def add_json(self, media_type, value):
        return self.add_bytes(media_type, json.dumps(value, separators=(",", ":")).encode())

    def add_file(self, media_type, path):
        digest = file_digest(path)
        if not self.blob(digest).exists():
            try:
                os.link(path, self.blob(digest))
            except OSError:  # It is on another file system.
                shutil.copyfile(path, self.blob(digest))
        return {"mediaType": media_type, "digest": digest, "size": path.stat().st_size}

    def tag(self, descriptor, name):
        index = json.loads((self.directory / "index.json").read_text())
        index["manifests"].append({**descriptor, "annotations": {"org.opencontainers.image.ref.name": name}})
        (self.directory / "index.json").write_text(json.dumps(index))

    def tagged(self, name=None):
        """-> the descriptor with this name, or the only descriptor."""
        manifests = json.loads((self.directory / "index.json").read_text())["manifests"]
        if name is None:
            assert len(manifests) == 1, manifests
            return manifests[0]
        matching = [m for m in manifests if m.get("annotations", {}).get("org.opencontainers.image.ref.name") == name]
        assert len(matching) == 1, f"{name} in {manifests}"
        return matching[0]

    def read_json(self, digest):
        return json.loads(self.blob(digest).read_bytes())

    def check(self, digest):
        """Checks all bytes of the manifest and of the content that it references -> {digest: size} of all."""
        found = {digest: check_file(self.blob(digest), digest)}
        for child in children(self.read_json(digest)):
            if child["mediaType"] in (MANIFEST, INDEX):
                found.update(self.check(child["digest"]))
            else:
                found[child["digest"]] = check_file(self.blob(child["digest"]), child["digest"], child["size"])
        return found


def children(manifest):
    return [*manifest.get("manifests", []), *filter(None, [manifest.get("config")]), *manifest.get("layers", [])]


def check_file(path, digest, size=None):
    assert path.exists(), f"{digest} is missing"
    assert file_digest(path) == digest, f"{path} has other bytes"
    assert size is None or path.stat().st_size == size, f"{path} has another size"
    return path.stat().st_size

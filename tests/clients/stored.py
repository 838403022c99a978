"""The content that the registry stores, fetched by plain HTTP and compared byte for byte."""

import hashlib
import http.client
import json
from urllib.parse import urlsplit

from clients.oci_layout import DOCKER_LIST, INDEX, MANIFEST, children
from fixtures import http as plain

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_ACCEPT = ", ".join([MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_LIST])
_MANIFEST_TYPES = (MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_LIST)


class Stored:
    """A manifest of a repository and all content below it. The constructor fetches all of it and checks its digests."""

    def __init__(self, registry, repository, reference):
        answer = plain.request("GET", f"{registry.url}/v2/{repository}/manifests/{reference}", headers={"Accept": _ACCEPT})
        assert answer.status == 200, f"{repository}:{reference}: {answer}"
        self.body = answer.body
        self.digest = "sha256:" + hashlib.sha256(answer.body).hexdigest()
        assert answer.headers["Docker-Content-Digest"] == self.digest
        assert reference in (self.digest,) or ":" not in reference
        self.media_type = answer.headers["Content-Type"]
        self.manifest = json.loads(answer.body)
        self.sizes = {self.digest: len(answer.body)}
        self.children = []
        for child in children(self.manifest):
            if child["mediaType"] in _MANIFEST_TYPES:
                stored = Stored(registry, repository, child["digest"])
                self.children.append(stored)
                self.sizes.update(stored.sizes)
            elif child["digest"] not in self.sizes:
                _check_blob(registry, repository, child)
                self.sizes[child["digest"]] = child["size"]

    @property
    def layers(self):
        return [layer["digest"] for layer in self.manifest["layers"]]

    @property
    def config_digest(self):
        return self.manifest["config"]["digest"]


def _check_blob(registry, repository, descriptor):
    parts = urlsplit(registry.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
    connection.request("GET", f"/v2/{repository}/blobs/{descriptor['digest']}")
    answer = connection.getresponse()
    assert answer.status == 200, f"{descriptor}: {answer.status}"
    digest, size = hashlib.sha256(), 0
    while chunk := answer.read(1 << 20):
        digest.update(chunk)
        size += len(chunk)
    connection.close()
    assert ("sha256:" + digest.hexdigest(), size) == (descriptor["digest"], descriptor["size"]), descriptor


def assert_stored(registry, repository, reference, layout, name):
    """Checks that the registry stores exactly the image `name` of the layout."""
    stored = Stored(registry, repository, reference)
    expected = layout.tagged(name)
    assert stored.digest == expected["digest"], f"the manifest is not that of {name}: {stored.body[:2000]!r}"
    assert stored.media_type == expected["mediaType"]
    assert stored.sizes == layout.check(expected["digest"])
    return stored

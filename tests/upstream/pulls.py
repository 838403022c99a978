"""Pulls through a registry with upstreams, checked byte by byte."""

import concurrent.futures
import http.client
import socket
import struct

from fixtures import http as plain
from fixtures.scripted_upstream import INDEX, MANIFEST, digest_of

ACCEPT = ", ".join(
    [
        MANIFEST,
        INDEX,
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ]
)
APP = "docker.io/library/app"
KIB = 1 << 10
MIB = 1 << 20


def hub(upstream, **fields):
    """The entry of docker.io in an upstreams file."""
    return {"name": "docker.io", "url": upstream.url, **fields}


def manifests(digest_or_tag="[^/]+"):
    """The paths of manifests at an upstream, as a regular expression."""
    return rf"/v2/.+/manifests/{digest_or_tag}"


def blobs(digest="[^/]+"):
    return rf"/v2/.+/blobs/{digest}"


def get_manifest(registry, repository, reference, query="", method="GET", **options):
    headers = {"Accept": ACCEPT, **options.pop("headers", {})}
    return registry.request(method, f"/v2/{repository}/manifests/{reference}{query}", headers=headers, **options)


def get_blob(registry, repository, digest, query="", method="GET", **options):
    return registry.request(method, f"/v2/{repository}/blobs/{digest}{query}", **options)


def pull(registry, repository, image, reference=None, query="", headers=None):
    """Pulls the manifest, by its tag if there is no other reference, and all of its blobs, and compares all bytes. -> the
    Answer with the manifest."""
    answer = get_manifest(registry, repository, reference or image.tag or image.digest, query, headers=headers or {})
    assert answer.status == 200, answer
    assert answer.body == image.manifest
    assert answer.headers["Docker-Content-Digest"] == image.digest
    assert answer.headers["Content-Type"] == MANIFEST
    for digest in image.blobs:
        assert_blob(registry, repository, digest, query, headers)
    return answer


def assert_blob(registry, repository, digest, query="", headers=None):
    answer = get_blob(registry, repository, digest, query, headers=headers or {})
    assert answer.status == 200, answer
    assert digest_of(answer.body) == digest
    return answer


def assert_stale(answer):
    """Served although the upstream did not confirm it."""
    assert answer.status == 200, answer
    assert (answer.headers["Warning"] or "").startswith("299 - "), answer


def whole_body_or_none(registry, path, headers=None):
    """-> the body of a 200 whose end arrived; None if the answer is an error or breaks off."""
    try:
        answer = registry.request("GET", path, headers=headers or {})
    except (http.client.HTTPException, OSError):
        return None
    return answer.body if answer.status == 200 else None


def assert_unavailable(answer):
    assert answer.status == 503, answer
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["errors"][0]["code"] == "UNAVAILABLE"


def assert_not_found(answer):
    assert answer.status == 404, answer
    assert answer.json()["errors"][0]["code"] in ("NAME_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN")


class PartialPull:
    """A client that reads a blob piece by piece."""

    def __init__(self, registry, repository, digest, address=None):
        self._digest = digest
        self._connection = plain.connect("http://" + (address or registry.address))
        self._connection.request("GET", f"/v2/{repository}/blobs/{digest}")
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200, self._answer.read()
        self.body = b""

    def read(self, size):
        """Waits for that many more bytes."""
        while size > 0:
            data = self._answer.read(size)
            assert data, f"the answer ended after {len(self.body)} bytes"
            self.body += data
            size -= len(data)

    def read_rest(self):
        """-> whether the end arrived, and all bytes are right."""
        try:
            self.body += self._answer.read()
        except (http.client.HTTPException, OSError):
            return False
        finally:
            self._connection.close()
        return digest_of(self.body) == self._digest

    def kill(self):
        """Resets the connection, as the end of a process with unread bytes does."""
        self._connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._answer.close()
        self._connection.close()


def in_parallel(clients, call):
    """Runs call(number) in that many threads -> the results; raises the first error."""
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        return list(pool.map(call, range(clients)))

"""Blobs and images that the tests of faults push and check."""

import json
import os

from fixtures import http
from fixtures.blobs import digest_of, pull, push
from fixtures.polling import wait_for

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
KIB = 1024
MIB = 1024 * 1024
# A blob that is stored as a value in the database, and one that is stored as a file.
BLOB_SIZES = (5_000, 300_000)


def push_blobs(registry, repository):
    """Pushes a blob of each of BLOB_SIZES -> their bytes."""
    blobs = [os.urandom(size) for size in BLOB_SIZES]
    for data in blobs:
        answer = push(registry, repository, data)
        assert answer.status == 201, answer
    return blobs


def check_blobs(registry, repository, blobs):
    for data in blobs:
        answer = pull(registry, repository, data)
        assert (answer.status, answer.body) == (200, data), answer


def image_of(config, *layers):
    """-> the bytes of an image manifest."""
    described = [{"digest": digest_of(data), "size": len(data)} for data in (config, *layers)]
    content = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **described[0]},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **blob} for blob in described[1:]],
    }
    return json.dumps(content).encode()


def put_manifest(registry, repository, tag, content):
    return http.request("PUT", f"{registry.url}/v2/{repository}/manifests/{tag}", body=content,
                        headers={"Content-Type": OCI_MANIFEST})  # fmt: skip


def assert_unavailable(answer):
    assert answer.status == 503, answer
    assert answer.headers["Retry-After"], answer
    assert answer.json()["errors"][0]["code"] == "UNAVAILABLE", answer


def wait_until_pushes_work(registry, repository, seconds=20):
    """Pushes a blob of each of BLOB_SIZES, again until it succeeds -> their bytes."""
    blobs = [os.urandom(size) for size in BLOB_SIZES]
    for data in blobs:
        wait_for(lambda: push(registry, repository, data), lambda answer: answer.status == 201, seconds)
    check_blobs(registry, repository, blobs)
    return blobs

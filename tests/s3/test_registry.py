"""A registry whose blobs are in a bucket. tests/cluster has replicas that share one."""

import concurrent.futures
import json
import os

import pytest

from fixtures import http
from fixtures.blobs import digest_of, pull, push
from fixtures.polling import wait_for
from s3.servers import s3_server

pytestmark = pytest.mark.modes("standalone")
MIB = 1024 * 1024
# In the records; one request; several parts and a rest.
SIZES = (1000, 300_000, 40 * MIB + 12345)


@pytest.fixture
def server(tmp_path):
    with s3_server("versitygw", tmp_path / "s3") as running:
        yield running


def ready(registry):
    return http.request("GET", registry.operator_url() + "/readyz")


def put_manifest(registry, repository, config, layer):
    """Pushes a manifest of these two blobs under the tag v1 -> its bytes."""
    describe = lambda data, kind: {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest_of(data), "size": len(data)}
    manifest = json.dumps({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": describe(config, "config.v1+json"),
        "layers": [describe(layer, "layer.v1.tar")],
    }).encode()  # fmt: skip
    headers = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
    answer = http.request("PUT", f"{registry.url}/v2/{repository}/manifests/v1", body=manifest, headers=headers)
    assert answer.status == 201, answer
    return manifest


def test_pushes_and_pulls(server, make_registry):
    registry = make_registry({"objects": server.config()})
    blobs = [os.urandom(size) for size in SIZES]
    for data in blobs:
        answer = push(registry, "a/b", data)
        assert answer.status == 201, answer
        assert pull(registry, "a/b", data).body == data
    middle = {"Range": f"bytes={17 * MIB}-{17 * MIB + 99}"}
    answer = http.request("GET", f"{registry.url}/v2/a/b/blobs/{digest_of(blobs[2])}", headers=middle)
    assert (answer.status, answer.body) == (206, blobs[2][17 * MIB : 17 * MIB + 100])
    assert len(list((server.store / server.BUCKET / "objects").iterdir())) == 2
    # Not known to be good any more: hashed while they are read.
    registry.restart()
    for data in blobs:
        assert pull(registry, "a/b", data).body == data


def test_an_upload_in_pieces(server, make_registry):
    registry = make_registry({"objects": server.config()})
    data = os.urandom(50 * MIB + 1)
    location = http.request("POST", f"{registry.url}/v2/a/b/blobs/uploads/").headers["Location"]
    for at in range(0, len(data), 20 * MIB):
        answer = http.request("PATCH", registry.url + location, body=data[at : at + 20 * MIB])
        assert answer.status == 202, answer
        location = answer.headers["Location"]
    answer = http.request("PUT", f"{registry.url}{location}?digest={digest_of(data)}")
    assert answer.status == 201, answer
    assert pull(registry, "a/b", data).body == data


def test_a_server_that_is_away(server, make_registry):
    registry = make_registry({"objects": server.config()})
    small, large, more = (os.urandom(size) for size in (1000, 300_000, 300_000))
    for data in (small, large):
        assert push(registry, "a/b", data).status == 201
    server.process.kill9()
    assert pull(registry, "a/b", small).body == small
    for answer in (pull(registry, "a/b", large), push(registry, "a/b", more)):
        assert answer.status == 503, answer
        assert answer.headers["Retry-After"], answer
    cannot_push = b"\ncannot push: blob store writes: the S3 server did not answer GetObject: "
    answer = wait_for(lambda: ready(registry), lambda answer: cannot_push in answer.body)
    assert answer.status == 200 and answer.body.startswith(b"ready for pulls only\n"), answer
    assert registry.metrics().total("entrepot_ready", **{"for": "pushes"}) == 0
    server.start()
    wait_for(lambda: ready(registry), lambda answer: answer.body.startswith(b"ready\n"))
    wait_for(lambda: pull(registry, "a/b", large).body == large)
    assert push(registry, "a/b", more).status == 201
    assert pull(registry, "a/b", more).body == more


PULLS = 150


@pytest.mark.modes("standalone", "split")
def test_a_server_that_hangs(server, make_registry):
    registry = make_registry({"objects": server.config()})
    small, large = os.urandom(1000), os.urandom(300_000)
    for data in (small, large):
        assert push(registry, "a/b", data).status == 201
    manifest = put_manifest(registry, "a/b", small, large)
    with concurrent.futures.ThreadPoolExecutor(PULLS) as pool, server.process.frozen():
        pulls = [pool.submit(pull, registry, "a/b", large) for _ in range(PULLS)]
        wait_for(lambda: registry.metrics().total("entrepot_http_requests_total", route="blob", method="GET")
                 + registry.metrics().total("entrepot_http_requests_in_flight"), lambda count: count >= PULLS)  # fmt: skip
        for _ in range(10):
            answer = http.request("GET", f"{registry.url}/v2/a/b/manifests/v1")
            assert (answer.status, answer.body) == (200, manifest), answer
            assert pull(registry, "a/b", small).body == small
            answer = http.request("POST", f"{registry.url}/v2/a/b/blobs/uploads/")
            assert answer.status == 202, answer
        # None has been served meanwhile, and none waits for the server to come back.
        for each in pulls:
            answer = each.result()
            assert answer.status == 503 and answer.headers["Retry-After"], answer
        answer = pull(registry, "a/b", large)
        assert answer.status == 503 and answer.headers["Retry-After"], answer
    wait_for(lambda: pull(registry, "a/b", large).body == large)
    more = os.urandom(300_000)
    assert push(registry, "a/b", more).status == 201
    assert pull(registry, "a/b", more).body == more

"""A registry whose blobs are in a bucket. tests/cluster has replicas that share one."""

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

"""Calls to the kernel that fail, move less than they were asked to, are interrupted or take their time; and a clock that
is wrong."""

import contextlib
import http.client
import os
import time

import pytest

from fault.content import (
    KIB,
    MIB,
    OCI_MANIFEST,
    assert_unavailable,
    check_blobs,
    digest_of,
    image_of,
    pull,
    push,
    push_blobs,
    wait_until_pushes_work,
)
from fixtures import http as requests
from fixtures.accounts import Client
from fixtures.faults import Faults

DAY = 24 * 3600


@pytest.fixture(name="faults")
def fixture_faults(tmp_path):
    return Faults(tmp_path / "faults")


@pytest.fixture(name="meddled")
def fixture_meddled(make_registry, faults):
    """A registry whose every process is meddled with."""
    registry = make_registry(environment={"*": faults.environment})
    yield registry
    faults.clear()


def refused(registry, data):
    """A push that is not to succeed; that it was refused clearly."""
    answer = push(registry, "fault/refused", data)
    assert_unavailable(answer)
    assert pull(registry, "fault/refused", data).status == 404


@pytest.mark.parametrize("call", ["write", "sync"])
def test_files_of_blobs_that_cannot_be_written(meddled, faults, call):
    kept = push_blobs(meddled, "fault/kept")
    faults.set(**{call: "EIO"}, path="/blobs/")
    refused(meddled, os.urandom(300 * KIB))
    assert faults.hits
    # What the kernel says of that disk from now on is not to be trusted: the store is read-only, and says so.
    faults.clear()
    name = "blob" if meddled.mode == "split" else "entrepot"
    assert meddled.metrics(name).total("entrepot_store_read_only") == 1
    refused(meddled, os.urandom(300 * KIB))
    check_blobs(meddled, "fault/kept", kept)
    meddled.restart()
    wait_until_pushes_work(meddled, "fault/kept")
    check_blobs(meddled, "fault/kept", kept)


@pytest.mark.parametrize("call", ["write", "sync"])
def test_a_database_that_cannot_be_written(meddled, faults, call):
    kept = push_blobs(meddled, "fault/kept")
    faults.set(**{call: "EIO"}, path="/kv/")
    refused(meddled, os.urandom(5_000))
    assert faults.hits
    faults.clear()
    # As a failed sync of a file: it goes on reading, and writes again once it was started anew.
    answer = push(meddled, "fault/kept", os.urandom(5_000))
    assert_unavailable(answer)
    check_blobs(meddled, "fault/kept", kept)
    processes = [name for name in meddled.processes if not name.startswith("gateway")]
    assert sum(meddled.metrics(name).total("entrepot_rocksdb_writing_stopped_by_error") for name in processes) >= 1
    for name in processes:
        meddled.kill9(name)
        meddled.start(name)
    wait_until_pushes_work(meddled, "fault/kept")
    check_blobs(meddled, "fault/kept", kept)


def test_a_file_that_cannot_be_read_breaks_the_stream_off(meddled, faults):
    data = os.urandom(8 * MIB)
    assert push(meddled, "fault/read", data).status == 201
    faults.set(read="EIO", path="/blobs/")
    with contextlib.suppress(http.client.IncompleteRead, ConnectionError):
        answer = pull(meddled, "fault/read", data)
        assert answer.status >= 500, f"{answer.status}, {len(answer.body)} bytes"
    assert faults.hits
    faults.clear()
    # Where it was looked at again before the disk was well, it counts as lost until it is pushed anew.
    if pull(meddled, "fault/read", data).status == 404:
        assert push(meddled, "fault/read", data).status == 201
    check_blobs(meddled, "fault/read", [data])


@pytest.mark.parametrize("how", [{"short_calls": True}, {"interrupt_every": 3}])
def test_short_and_interrupted_calls_are_gone_on_with(meddled, faults, how):
    faults.set(**how)
    blobs = wait_until_pushes_work(meddled, "fault/pieces", seconds=60)
    large = os.urandom(3 * MIB)
    assert push(meddled, "fault/pieces", large).status == 201
    check_blobs(meddled, "fault/pieces", [*blobs, large])
    assert faults.hits > 10
    meddled.kill9()
    meddled.start()
    check_blobs(meddled, "fault/pieces", [*blobs, large])


def test_a_slow_disk_holds_up_only_what_waits_for_it(meddled, faults):
    kept = push_blobs(meddled, "fault/slow")
    faults.set(delay=0.3)
    began = time.monotonic()
    # What asks for no disk is answered at once, meanwhile too.
    assert requests.request("GET", f"{meddled.url}/v2/", timeout=1).status == 200
    blobs = [os.urandom(5_000), os.urandom(300_000)]
    for data in blobs:
        assert push(meddled, "fault/slow", data).status in (201, 503)
    assert time.monotonic() - began < 60
    assert faults.hits
    faults.clear()
    check_blobs(meddled, "fault/slow", kept)
    wait_until_pushes_work(meddled, "fault/slow")


@pytest.mark.parametrize("offset", [DAY, -DAY])
def test_a_clock_that_is_a_day_off(make_secured_registry, tmp_path, offset):
    faults = Faults(tmp_path / "faults")
    registry = make_secured_registry(environment={"*": faults.environment}, config={"collector": {"interval": "1s"}})
    client = Client(registry, "admin")
    scope = "repository:driftwood/clock:pull,push"
    token = client.token(scope)
    data, unnamed = os.urandom(5_000), os.urandom(5_000)
    path, unnamed_path = (push_blob(client, token, each) for each in (data, unnamed))
    put_image(client, "/v2/driftwood/clock/manifests/kept", token, image_of(data))
    settle(client, path, token)
    faults.set(clock_offset=offset)
    # Expired, or not yet valid.
    assert client.request("GET", path, token=token).status == 401
    collected_twice(registry)
    assert client.request("GET", path, scope).body == data
    assert client.request("GET", "/v2/driftwood/clock/manifests/kept", scope).body == image_of(data)
    # What no manifest names stays for its lease, a day.
    if offset < 0:
        assert client.request("GET", unnamed_path, scope).body == unnamed
    assert client.request("POST", "/v2/driftwood/clock/blobs/uploads/", scope).status == 202
    settle(client, path, client.token(scope))
    faults.clear()
    assert client.request("GET", path, token=token).body == data
    assert client.request("POST", "/v2/driftwood/clock/blobs/uploads/", scope).status == 202


def collected_twice(registry):
    """The second run began by the clock as it is now."""

    def runs():
        return registry.metrics("manifest" if registry.mode == "split" else "entrepot").total("entrepot_gc_runs_total")

    until = time.monotonic() + 30
    before = runs()
    while runs() < before + 2:
        assert time.monotonic() < until
        time.sleep(0.1)


def push_blob(client, token, data):
    """-> the blob's path."""
    location = client.request("POST", "/v2/driftwood/clock/blobs/uploads/", token=token).headers["Location"]
    assert client.request("PUT", f"{location}?digest={digest_of(data)}", token=token, body=data).status == 201
    return f"/v2/driftwood/clock/blobs/{digest_of(data)}"


def put_image(client, path, token, content):
    answer = client.request("PUT", path, token=token, body=content, headers={"Content-Type": OCI_MANIFEST})
    assert answer.status == 201, answer


def settle(client, path, token):
    """Until the processes go by what their libraries remember of the clock, which know nothing of a step at first."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        assert client.request("GET", path, token=token).status == 200

"""System calls that fail, are short, interrupted or slow, and a wrong clock: nothing acknowledged is lost, and errors
are reported clearly."""

import contextlib
import http.client
import json
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
from fixtures.polling import wait_for

DAY = 24 * 3600


@pytest.fixture(name="faults")
def fixture_faults(tmp_path):
    return Faults(tmp_path / "faults")


@pytest.fixture(name="faulty")
def fixture_faulty(make_registry, faults):
    """A registry with faults in each of its processes."""
    registry = make_registry(environment={"*": faults.environment})
    yield registry
    faults.clear()


def assert_refused(registry, data):
    """A push is refused clearly, and leaves no blob."""
    answer = push(registry, "fault/refused", data)
    assert_unavailable(answer)
    assert pull(registry, "fault/refused", data).status == 404


def assert_ready_for_pulls_only(registry, names, cause):
    """These processes of split mode, or the only one, stay in the balancer and say what cannot be done; a push gets the
    cause."""
    for name in names if registry.mode == "split" else ("entrepot",):
        ready = wait_for(lambda name=name: requests.request("GET", registry.operator_url(name) + "/readyz"),
                         lambda answer: answer.body.startswith(b"ready for pulls only\ncannot push: "))  # fmt: skip
        assert ready.status == 200
    answer = push(registry, "fault/refused", os.urandom(300 * KIB))
    assert cause in answer.json()["errors"][0]["message"], answer


@pytest.mark.parametrize("call", ["write", "sync"])
def test_failed_write_of_a_blob_file_makes_the_store_read_only(faulty, faults, call):
    kept = push_blobs(faulty, "fault/kept")
    faults.set(**{call: "EIO"}, path="/blobs/")
    assert_refused(faulty, os.urandom(300 * KIB))
    assert faults.hits
    # After such an error, later success of the kernel cannot be trusted: the store stays read-only, and reports it.
    faults.clear()
    name = "blob" if faulty.mode == "split" else "entrepot"
    assert faulty.metrics(name).total("entrepot_store_read_only") == 1
    assert_refused(faulty, os.urandom(300 * KIB))
    assert_ready_for_pulls_only(faulty, ("gateway", "blob"), "the blob store is read-only until it is restarted")
    check_blobs(faulty, "fault/kept", kept)
    faulty.restart()
    wait_until_pushes_work(faulty, "fault/kept")
    check_blobs(faulty, "fault/kept", kept)


@pytest.mark.parametrize("call", ["write", "sync"])
def test_failed_write_of_the_database_stops_writes_until_a_restart(faulty, faults, call):
    kept = push_blobs(faulty, "fault/kept")
    faults.set(**{call: "EIO"}, path="/kv/")
    assert_refused(faulty, os.urandom(5_000))
    assert faults.hits
    faults.clear()
    # As after a failed sync of a file, the database is still readable, and writable again after a restart.
    answer = push(faulty, "fault/kept", os.urandom(5_000))
    assert_unavailable(answer)
    check_blobs(faulty, "fault/kept", kept)
    assert_ready_for_pulls_only(faulty, ("gateway",), "the metadata store has stopped until it is restarted")
    processes = [name for name in faulty.processes if not name.startswith("gateway")]
    assert sum(faulty.metrics(name).total("entrepot_rocksdb_writing_stopped_by_error") for name in processes) >= 1
    for name in processes:
        faulty.kill9(name)
        faulty.start(name)
    wait_until_pushes_work(faulty, "fault/kept")
    check_blobs(faulty, "fault/kept", kept)


def test_failed_read_of_a_blob_file_aborts_the_pull(faulty, faults):
    data = os.urandom(8 * MIB)
    assert push(faulty, "fault/read", data).status == 201
    faults.set(read="EIO", path="/blobs/")
    with contextlib.suppress(http.client.IncompleteRead, ConnectionError):
        answer = pull(faulty, "fault/read", data)
        assert answer.status >= 500, f"{answer.status}, {len(answer.body)} bytes"
    assert faults.hits
    faults.clear()
    # If the registry examined the blob while reads failed, the blob counts as lost until the next push.
    if pull(faulty, "fault/read", data).status == 404:
        assert push(faulty, "fault/read", data).status == 201
    check_blobs(faulty, "fault/read", [data])


@pytest.mark.parametrize("how", [{"short_calls": True}, {"interrupt_every": 3}])
def test_short_and_interrupted_calls_are_continued(faulty, faults, how):
    faults.set(**how)
    blobs = wait_until_pushes_work(faulty, "fault/pieces", seconds=60)
    large = os.urandom(3 * MIB)
    assert push(faulty, "fault/pieces", large).status == 201
    check_blobs(faulty, "fault/pieces", [*blobs, large])
    assert faults.hits > 10
    faulty.kill9()
    faulty.start()
    check_blobs(faulty, "fault/pieces", [*blobs, large])


def test_slow_disk_delays_only_requests_that_need_it(faulty, faults):
    kept = push_blobs(faulty, "fault/slow")
    faults.set(delay=0.3)
    began = time.monotonic()
    # A request that needs no disk is answered at once.
    assert requests.request("GET", f"{faulty.url}/v2/", timeout=1).status == 200
    blobs = [os.urandom(5_000), os.urandom(300_000)]
    for data in blobs:
        assert push(faulty, "fault/slow", data).status in (201, 503)
    assert time.monotonic() - began < 60
    assert faults.hits
    faults.clear()
    check_blobs(faulty, "fault/slow", kept)
    wait_until_pushes_work(faulty, "fault/slow")


@pytest.mark.parametrize("offset", [DAY, -DAY])
def test_clock_that_is_a_day_off_loses_no_content(make_secured_registry, tmp_path, offset):
    faults = Faults(tmp_path / "faults")
    registry = make_secured_registry(environment={"*": faults.environment}, config={"collector": {"interval": "1s"}})
    client = Client(registry, "admin")
    scope = "repository:driftwood/clock:pull,push"
    token = client.token(scope)
    data, unreferenced = os.urandom(5_000), os.urandom(5_000)
    path, unreferenced_path = (push_blob(client, token, each) for each in (data, unreferenced))
    put_image(client, "/v2/driftwood/clock/manifests/kept", token, image_of(data))
    use_for_a_second(client, path, token)
    faults.set(clock_offset=offset)
    # The token has expired, or is not yet valid.
    assert client.request("GET", path, token=token).status == 401
    # Collection holds back, so a blob that no manifest references stays, whatever the clock says of its lease.
    wait_for(lambda: maintenance_metrics(registry).total("entrepot_gc_clock_hold_seconds"), seconds=30)
    assert client.request("GET", unreferenced_path, scope).body == unreferenced
    accepted = client.request("POST", "/entrepot/v1/maintain", "registry:administration:*",
                              body=json.dumps({"accept": {"what": "CLOCK"}}).encode(),
                              headers={"Content-Type": "application/json"})  # fmt: skip
    assert accepted.status == 200, accepted
    wait_for_two_collections(registry)
    assert client.request("GET", path, scope).body == data
    assert client.request("GET", "/v2/driftwood/clock/manifests/kept", scope).body == image_of(data)
    # Its lease is a day.
    if offset < 0:
        assert client.request("GET", unreferenced_path, scope).body == unreferenced
    assert client.request("POST", "/v2/driftwood/clock/blobs/uploads/", scope).status == 202
    use_for_a_second(client, path, client.token(scope))
    faults.clear()
    assert client.request("GET", path, token=token).body == data
    assert client.request("POST", "/v2/driftwood/clock/blobs/uploads/", scope).status == 202


def maintenance_metrics(registry):
    return registry.metrics("manifest" if registry.mode == "split" else "entrepot")


def wait_for_two_collections(registry):
    """Waits until the collector has ended two runs: the second began after this call."""

    def runs():
        return maintenance_metrics(registry).total("entrepot_gc_runs_total")

    before = runs()
    wait_for(runs, lambda count: count >= before + 2, seconds=30)


def push_blob(client, token, data):
    """Pushes a blob -> its path."""
    location = client.request("POST", "/v2/driftwood/clock/blobs/uploads/", token=token).headers["Location"]
    assert client.request("PUT", f"{location}?digest={digest_of(data)}", token=token, body=data).status == 201
    return f"/v2/driftwood/clock/blobs/{digest_of(data)}"


def put_image(client, path, token, content):
    answer = client.request("PUT", path, token=token, body=content, headers={"Content-Type": OCI_MANIFEST})
    assert answer.status == 201, answer


def use_for_a_second(client, path, token):
    """Sends requests for one second. The time is a part of the test and not a wait for an event: libraries that derive
    the time from an earlier reading of the clock, as absl::Now() does, need calls over some time before they do so.
    Only then does a step of the clock show whether the registry depends on such a library."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        assert client.request("GET", path, token=token).status == 200

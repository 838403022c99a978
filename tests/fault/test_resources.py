"""Exhausted resources, services that do not answer, and restarts: requests fail clearly, and work again afterwards."""

import concurrent.futures
import contextlib
import json
import os
import subprocess
import time
from http.client import HTTPConnection

import pytest

from fault.content import MIB, digest_of, pull, push
from fixtures import http
from fixtures.polling import wait_for
from fixtures.registry import start_registry
from hostile.raw import Connection


@pytest.fixture(name="cramped")
def fixture_cramped(tmp_path, mode):
    """A registry on a small tmpfs."""
    folder = tmp_path / "small-disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", folder], check=True)
    try:
        registry = start_registry(mode, folder / "registry")
        yield registry
        registry.stop()
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_full_disk_fails_a_push_and_gives_its_space_back(cramped):
    registry = cramped
    kept = os.urandom(8 * MIB)
    assert push(registry, "fault/disk", kept).status == 201
    refused = os.urandom(120 * MIB)
    with contextlib.suppress(OSError):
        answer = push(registry, "fault/disk", refused)
        assert 500 <= answer.status < 600
        assert answer.json()["errors"][0]["message"]
    assert pull(registry, "fault/disk", refused).status == 404
    # Pulls still work, and the space of the failed upload is free again.
    assert pull(registry, "fault/disk", kept).body == kept
    after = os.urandom(16 * MIB)
    wait_for(lambda: push(registry, "fault/disk", after), lambda answer: answer.status == 201, pause=0.5)
    assert pull(registry, "fault/disk", after).body == after


def test_idle_upload_sessions_are_bounded_and_expire(make_registry):
    registry = make_registry(config={"uploads": {"sessions_max": 20, "session_lifetime": "3s"}})
    url = f"{registry.url}/v2/fault/sessions/blobs/uploads/"
    answers = [http.request("POST", url) for _ in range(25)]
    assert [answer.status for answer in answers] == [202] * 20 + [429] * 5
    assert answers[-1].json()["errors"][0]["code"] == "TOOMANYREQUESTS"
    assert answers[-1].headers["Retry-After"]
    wait_for(lambda: http.request("POST", url), lambda answer: answer.status == 202, seconds=30, pause=0.5)
    assert http.request("GET", registry.url + answers[0].headers["Location"]).status == 404


def start_from(address, registry):
    """Starts an upload from that address of this machine -> its status, the first error and the headers."""
    connection = HTTPConnection("127.0.0.1", registry.port, source_address=(address, 0), timeout=60)
    with contextlib.closing(connection):
        connection.request("POST", "/v2/fault/share/blobs/uploads/", headers={"Content-Length": "0"})
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body)["errors"][0] if body else None, answer.headers


def test_one_address_cannot_take_all_uploads_also_after_a_restart(make_registry):
    registry = make_registry(config={"uploads": {"sessions_max": 20, "sessions_per_account_max": 5}})
    for _ in range(2):
        statuses = {start_from("127.0.0.2", registry)[0] for _ in range(8)}
        assert 429 in statuses
        status, error, headers = start_from("127.0.0.2", registry)
        assert (status, error["code"]) == (429, "TOOMANYREQUESTS")
        assert "this address has 5 uploads open" in error["message"]
        assert "uploads.sessions_per_account_max" in error["message"]
        # An idle empty upload makes room after ten minutes.
        assert 500 < int(headers["Retry-After"]) <= 600
        assert f"try again in {headers['Retry-After']} s" in error["message"]
        assert start_from("127.0.0.3", registry)[0] == 202
        for name in list(registry.processes):
            registry.kill9(name)
        registry.start()


def test_repeated_requests_of_an_upload_give_the_same_answers(own_registry):
    registry, data = own_registry, os.urandom(300_000)
    for body_in_put in (True, False):
        location = registry.url + http.request("POST", f"{registry.url}/v2/fault/again/blobs/uploads/").headers["Location"]
        if not body_in_put:
            fields = {"Content-Range": f"0-{len(data) - 1}"}
            assert http.request("PATCH", location, body=data, headers=fields).status == 202
            again = http.request("PATCH", location, body=data, headers=fields)
            assert (again.status, again.headers["Range"]) == (416, f"0-{len(data) - 1}")
        answers = [http.request("PUT", f"{location}?digest={digest_of(data)}", body=data if body_in_put else b"")
                   for _ in range(3)]  # fmt: skip
        assert [answer.status for answer in answers] == [201] * 3
        assert len({answer.headers["Location"] for answer in answers}) == 1
        assert {answer.headers["Docker-Content-Digest"] for answer in answers} == {digest_of(data)}
    location = registry.url + http.request("POST", f"{registry.url}/v2/fault/again/blobs/uploads/").headers["Location"]
    assert [http.request("DELETE", location).status for _ in range(2)] == [204, 204]
    assert pull(registry, "fault/again", data).body == data


@contextlib.contextmanager
def stopped(registry, name, how):
    """The process does not answer within the block: it was killed, or is frozen."""
    if how == "frozen":
        with registry.processes[name].frozen():
            yield
        return
    registry.kill9(name)
    try:
        yield
    finally:
        registry.start(name)


@pytest.mark.modes("split")
@pytest.mark.parametrize("name", ["blob", "manifest"])
@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_killed_or_frozen_service_gives_503_and_recovers(own_registry, name, how):
    data = os.urandom(200_000)
    assert push(own_registry, "fault/away", data).status == 201
    url = f"{own_registry.url}/v2/fault/away/blobs/uploads/"
    location = own_registry.url + http.request("POST", url).headers["Location"]
    with stopped(own_registry, name, how):
        began = time.monotonic()
        if name == "blob":
            answers = [http.request("POST", url), http.request("PUT", f"{location}?digest={digest_of(data)}", body=data)]
        else:
            answers = [pull(own_registry, "fault/away", data),
                       http.request("GET", f"{own_registry.url}/v2/fault/away/tags/list")]
        for answer in answers:
            assert answer.status == 503, answer
            assert answer.headers["Retry-After"]
            assert answer.json()["errors"][0]["code"] == "UNAVAILABLE"
        assert time.monotonic() - began < 45
        assert http.request("GET", f"{own_registry.url}/v2/").status == 200
    wait_for(lambda: push(own_registry, "fault/away", data), lambda answer: answer.status == 201)
    assert pull(own_registry, "fault/away", data).body == data


def test_concurrent_pushes_of_one_digest_all_succeed(registry):
    data = os.urandom(100_000)
    with concurrent.futures.ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(lambda _: push(registry, "fault/same", data), range(100)))
    assert {answer.status for answer in answers} == {201}
    assert pull(registry, "fault/same", data).body == data


def test_sigterm_lets_running_uploads_finish(own_registry):
    data = os.urandom(8 * MIB)
    uploads = []
    for number in range(4):
        location = http.request("POST", f"{own_registry.url}/v2/fault/drain{number}/blobs/uploads/").headers["Location"]
        connection = Connection(own_registry.port)
        connection.send(f"PUT {location}?digest={digest_of(data)} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                        f"Content-Length: {len(data)}\r\n\r\n".encode())
        connection.wait_for_continue()  # The registry has accepted the request.
        uploads.append(connection)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        restart = pool.submit(own_registry.restart, "gateway" if own_registry.mode == "split" else None)
        wait_until_refused(own_registry.port)
        for connection in uploads:
            connection.send(data)
        answers = [connection.receive("PUT") for connection in uploads]
        restart.result()
    assert [(answer.status, answer.closed) for answer in answers] == [(201, True)] * 4
    for number in range(4):
        assert pull(own_registry, f"fault/drain{number}", data).body == data


def test_connections_are_taken_during_the_drain_delay(make_registry):
    registry = make_registry(config={"drain_delay": "4s"})
    name = "gateway" if registry.mode == "split" else "entrepot"
    kept = HTTPConnection("127.0.0.1", registry.port, timeout=20)
    kept.request("GET", "/v2/")
    kept.getresponse().read()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        restart = pool.submit(registry.restart, name)
        wait_for(lambda: http.request("GET", registry.operator_url(name) + "/readyz"), lambda answer: answer.status == 503, pause=0.02)
        # /readyz fails, and everything is served.
        data = os.urandom(100_000)
        answer = push(registry, "fault/delay", data)
        assert (answer.status, answer.headers["Connection"]) == (201, "close")
        kept.request("GET", "/v2/")
        last = kept.getresponse()
        assert (last.status, last.headers["Connection"]) == (200, "close")
        restart.result()
    assert pull(registry, "fault/delay", data).body == data


@pytest.mark.parametrize("size", [20_000, 3 * MIB])
def test_an_upload_that_a_drain_cuts_off_keeps_its_bytes(make_registry, size):
    registry = make_registry(config={"drain_timeout": "2s"})
    data = os.urandom(size + MIB)
    path = http.request("POST", f"{registry.url}/v2/fault/cut/blobs/uploads/").headers["Location"]
    connection = Connection(registry.port)
    connection.send(f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                    f"Content-Length: {len(data)}\r\n\r\n".encode())
    connection.wait_for_continue()  # The registry has accepted the request.
    connection.send(data[:size])
    registry.restart("gateway" if registry.mode == "split" else None)
    assert http.request("GET", registry.url + path).headers["Range"] == f"0-{size - 1}"
    answer = http.request("PUT", f"{registry.url}{path}?digest={digest_of(data)}", body=data[size:])
    assert answer.status == 201
    assert pull(registry, "fault/cut", data).body == data


def wait_until_refused(port):
    """Waits until the registry has closed its port."""

    def is_refused():
        try:
            Connection(port).socket.close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            pass  # The connection was in the listener's queue when the listener was closed.
        return False

    wait_for(is_refused, pause=0.02)


@pytest.mark.modes("split")
def test_upload_continues_over_another_gateway(make_registry):
    registry = make_registry(gateways=2)
    data = os.urandom(1_000_000)
    path = http.request("POST", f"{registry.url}/v2/fault/move/blobs/uploads/").headers["Location"]
    for number, offset in enumerate(range(0, len(data), 100_000)):
        chunk = data[offset:offset + 100_000]
        answer = http.request("PATCH", f"http://{registry.addresses[number % 2]}{path}", body=chunk,
                              headers={"Content-Range": f"{offset}-{offset + len(chunk) - 1}"})
        assert answer.status == 202, answer
    answer = http.request("PUT", f"http://{registry.addresses[1]}{path}?digest={digest_of(data)}")
    assert answer.status == 201, answer
    assert pull(registry, "fault/move", data).body == data


@pytest.mark.modes("split")
def test_one_of_two_patches_over_two_gateways_succeeds(make_registry):
    registry = make_registry(gateways=2)
    data = os.urandom(5_000_000)
    path = http.request("POST", f"{registry.url}/v2/fault/race/blobs/uploads/").headers["Location"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(
            lambda address: http.request("PATCH", f"http://{address}{path}", body=data,
                                         headers={"Content-Range": f"0-{len(data) - 1}"}), registry.addresses))
    assert sorted(answer.status for answer in answers) == [202, 416]
    assert http.request("PUT", f"{registry.url}{path}?digest={digest_of(data)}").status == 201
    assert pull(registry, "fault/race", data).body == data

"""A network that parts the registry's processes, and clients that go away or are slow."""

import concurrent.futures
import contextlib
import os
import random
import socket
import struct
import subprocess
import threading
import time

import pytest

from fault.content import (
    KIB,
    assert_unavailable,
    check_blobs,
    digest_of,
    image_of,
    pull,
    push,
    push_blobs,
    put_manifest,
    wait_until_pushes_work,
)
from fixtures import http
from fixtures.workload import Client
from hostile.raw import Connection

pytestmark = pytest.mark.alone

DEADLINE = 15  # seconds, of answers when a service gives none within three


@contextlib.contextmanager
def parted(ports, how):
    """Nothing comes through to these local TCP ports. how: "drop", or "reject with tcp reset"."""
    table = f"entrepot_test_{os.getpid()}"
    rules = f"""
        table inet {table} {{
            chain input {{
                type filter hook input priority 0;
                tcp dport {{ {", ".join(map(str, ports))} }} {how}
            }}
        }}"""
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    try:
        yield
    finally:
        subprocess.run(["nft", "delete", "table", "inet", table], check=True)


@pytest.mark.modes("split")
@pytest.mark.parametrize("how", ["drop", "reject with tcp reset"])
@pytest.mark.parametrize("name", ["blob", "manifest"])
def test_a_service_that_is_not_reached(make_registry, name, how):
    registry = make_registry(config={"deadline": "3s"})
    kept = push_blobs(registry, "fault/parted")
    content = image_of(*kept)
    url = f"{registry.url}/v2/fault/parted/blobs/uploads/"
    location = registry.url + http.request("POST", url).headers["Location"]
    data = os.urandom(200_000)
    assert http.request("PATCH", location, body=data[:100_000]).status == 202
    with parted([registry.grpc_ports[name]], how):
        began = time.monotonic()
        if name == "blob":
            assert_unavailable(http.request("POST", url))
        else:
            assert_unavailable(put_manifest(registry, "fault/parted", "cut", content))
            assert_unavailable(pull(registry, "fault/parted", kept[0]))
        assert time.monotonic() - began < DEADLINE
        assert http.request("GET", f"{registry.url}/v2/", timeout=5).status == 200
    # The upload goes on where it was, and nothing has happened twice.
    deadline = time.monotonic() + 30
    while (answer := http.request("GET", location)).status != 204:
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)
    assert answer.headers["Range"] == "0-99999"
    answer = http.request("PUT", f"{location}?digest={digest_of(data)}", body=data[100_000:])
    assert answer.status == 201, answer
    check_blobs(registry, "fault/parted", [*kept, data])
    assert put_manifest(registry, "fault/parted", "cut", content).status == 201
    wait_until_pushes_work(registry, "fault/parted")


@pytest.mark.modes("split")
def test_a_load_while_services_are_not_reached_now_and_then(make_registry):
    """What was answered holds, and what was not has happened or not, but not by halves."""
    registry = make_registry(config={"deadline": "3s"})
    moments = random.Random(7)
    clients = [Client(registry.url, str(number), 7, parted=True) for number in range(4)]
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        runs = [pool.submit(client.run, stop) for client in clients]
        try:
            for _ in range(6):
                time.sleep(moments.uniform(0.3, 1.0))
                ports = moments.choice([["blob"], ["manifest"], ["blob", "manifest"]])
                how = moments.choice(["drop", "reject with tcp reset"])
                with parted([registry.grpc_ports[name] for name in ports], how):
                    time.sleep(moments.uniform(0.1, 1.5))
            time.sleep(1)
        finally:
            stop.set()
        for run in runs:
            run.result()
    assert sum(client.counts["manifests"] for client in clients) > 20
    now = time.monotonic()
    for client in clients:
        assert client.check(now, now) == []


def test_a_client_that_resets_its_connection_goes_on_where_it_was(registry):
    data = os.urandom(3_000_000)
    location = http.request("POST", f"{registry.url}/v2/fault/reset/blobs/uploads/").headers["Location"]
    connection = Connection(registry.port)
    connection.send(f"PATCH {location} HTTP/1.1\r\nHost: h\r\nContent-Length: {len(data)}\r\n\r\n".encode())
    connection.send(data[:2_000_000])
    time.sleep(0.3)
    # The connection is reset rather than closed.
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.socket.close()
    url = registry.url + location
    # As soon as the registry has noticed.
    deadline = time.monotonic() + 10
    while True:
        last = int(http.request("GET", url).headers["Range"].split("-")[1])
        offset = last + 1 if last else 0
        assert offset <= 2_000_000
        rest = data[offset:]
        headers = {"Content-Range": f"{offset}-{len(data) - 1}"}
        answer = http.request("PATCH", url, body=rest, headers=headers)
        if answer.status == 202:
            break
        assert answer.status in (409, 416, 429, 503) and time.monotonic() < deadline, answer
        time.sleep(0.1)
    assert http.request("PUT", f"{url}?digest={digest_of(data)}").status == 201
    check_blobs(registry, "fault/reset", [data])


def test_slow_clients_cost_little_and_are_cut_off(make_registry):
    """Readers that take a byte now and then of something large, and writers that send one."""
    registry = make_registry(config={"limits": {"minimum_rate_window": "2s"}})
    data = os.urandom(32 * 1024 * KIB)
    assert push(registry, "fault/slow", data).status == 201
    before = {name: process.memory() for name, process in registry.processes.items()}
    slow = [Connection(registry.port) for _ in range(60)]
    for number, connection in enumerate(slow):
        if number % 2:
            connection.send(f"GET /v2/fault/slow/blobs/{digest_of(data)} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        else:
            location = http.request("POST", f"{registry.url}/v2/fault/slow/blobs/uploads/").headers["Location"]
            connection.send(f"PATCH {location} HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n".encode())
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline:
        for number, connection in enumerate(slow):
            with contextlib.suppress(OSError):
                connection.socket.settimeout(5)
                if number % 2:
                    connection.socket.recv(1)
                else:
                    connection.send(b"x")
        time.sleep(0.2)
    after = {name: process.memory() for name, process in registry.processes.items()}
    grown = {name: after[name] - before[name] for name in after}
    assert max(grown.values()) < 64 * 1024 * KIB, grown
    # The slow ones were cut off.
    for connection in slow:
        connection.socket.settimeout(30)
        assert ends(connection)
        connection.socket.close()
    check_blobs(registry, "fault/slow", [data])


def ends(connection):
    """Whether the registry closes before all that was asked for has come."""
    received = 0
    try:
        while piece := connection.socket.recv(1 << 20):
            received += len(piece)
    except ConnectionResetError:
        pass
    return received < 32 * 1024 * KIB

"""Network faults: processes that cannot reach one another, and clients that disconnect or are slow."""

import contextlib
import os
import random
import socket
import struct
import subprocess
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
from fixtures.load import Load
from fixtures.polling import wait_for
from fixtures.workload import Client
from hostile.raw import Connection

pytestmark = pytest.mark.alone

DEADLINE = 15  # Seconds for an answer if a service does not answer within its deadline of three.


@contextlib.contextmanager
def parted(ports, how):
    """Blocks these local TCP ports. `how`: "drop", or "reject with tcp reset"."""
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
def test_unreachable_service_gives_503_and_uploads_continue_later(make_registry, name, how):
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
    # The upload continues at its offset: no chunk was appended twice.
    answer = wait_for(lambda: http.request("GET", location), lambda answer: answer.status == 204, seconds=30)
    assert answer.headers["Range"] == "0-99999"
    answer = http.request("PUT", f"{location}?digest={digest_of(data)}", body=data[100_000:])
    assert answer.status == 201, answer
    check_blobs(registry, "fault/parted", [*kept, data])
    assert put_manifest(registry, "fault/parted", "cut", content).status == 201
    wait_until_pushes_work(registry, "fault/parted")


@pytest.mark.modes("split")
def test_load_with_partitions_keeps_acknowledged_changes(make_registry):
    """A change whose answer was lost has happened completely or not at all."""
    registry = make_registry(config={"deadline": "3s"})
    moments = random.Random(7)
    clients = [Client(registry.url, str(number), 7, parted=True) for number in range(4)]
    with Load(clients) as load:
        for _ in range(6):
            load.run_for(moments.uniform(0.3, 1.0))
            names = moments.choice([["blob"], ["manifest"], ["blob", "manifest"]])
            how = moments.choice(["drop", "reject with tcp reset"])
            with parted([registry.grpc_ports[name] for name in names], how):
                load.run_for(moments.uniform(0.1, 1.5))
        load.wait_for_progress(requests=50)
    assert sum(client.counts["manifests"] for client in clients) > 20
    now = time.monotonic()
    for client in clients:
        assert client.check(now, now) == []


def test_upload_continues_after_the_client_reset_its_connection(registry):
    data = os.urandom(3_000_000)
    location = http.request("POST", f"{registry.url}/v2/fault/reset/blobs/uploads/").headers["Location"]
    connection = Connection(registry.port)
    connection.send(f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                    f"Content-Length: {len(data)}\r\n\r\n".encode())
    connection.wait_for_continue()  # Now the registry reads the body.
    connection.send(data[:2_000_000])
    # This option makes close() reset the connection.
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.socket.close()
    url = registry.url + location

    def send_rest():
        last = int(http.request("GET", url).headers["Range"].split("-")[1])
        offset = last + 1 if last else 0
        assert offset <= 2_000_000
        headers = {"Content-Range": f"{offset}-{len(data) - 1}"}
        answer = http.request("PATCH", url, body=data[offset:], headers=headers)
        assert answer.status in (202, 409, 416, 429, 503), answer
        return answer

    # The first request may hold the session until the registry notices the reset.
    wait_for(send_rest, lambda answer: answer.status == 202)
    assert http.request("PUT", f"{url}?digest={digest_of(data)}").status == 201
    check_blobs(registry, "fault/reset", [data])


def test_slow_clients_use_little_memory_and_are_cut_off(make_registry):
    """Readers of a large blob and writers that move one byte at a time, with pauses."""
    registry = make_registry(config={"limits": {"minimum_rate_window": "2s", "silence_timeout": "2s"}})
    data = os.urandom(32 * 1024 * KIB)
    assert push(registry, "fault/slow", data).status == 201
    before = {name: process.memory() for name, process in registry.processes.items()}
    slow = [Connection(registry.port) for _ in range(60)]
    for number, connection in enumerate(slow):
        if number % 2:
            connection.send(f"GET /v2/fault/slow/blobs/{digest_of(data)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        else:
            location = http.request("POST", f"{registry.url}/v2/fault/slow/blobs/uploads/").headers["Location"]
            connection.send(f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n".encode())
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline:
        for number, connection in enumerate(slow):
            with contextlib.suppress(OSError):
                connection.socket.settimeout(5)
                if number % 2:
                    connection.socket.recv(1)
                else:
                    connection.send(b"x")
        time.sleep(0.2)  # The pause makes the clients slow.
    after = {name: process.memory() for name, process in registry.processes.items()}
    grown = {name: after[name] - before[name] for name in after}
    assert max(grown.values()) < 64 * 1024 * KIB, grown
    # The registry cuts off the slow clients.
    for connection in slow:
        connection.socket.settimeout(30)
        assert ends(connection)
        connection.socket.close()
    check_blobs(registry, "fault/slow", [data])


def ends(connection):
    """Whether the registry closes the connection before it has sent the whole blob."""
    received = 0
    try:
        while piece := connection.socket.recv(1 << 20):
            received += len(piece)
    except ConnectionResetError:
        pass
    return received < 32 * 1024 * KIB

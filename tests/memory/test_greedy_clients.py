"""Clients that take as much memory as they can, with slow, unfinished and abandoned requests: every process stays small,
and gives the memory back."""

import contextlib
import json
import os
import socket
import ssl
import struct

import pytest

from auth.content import digest_of, manifest_of, push_blob, push_image, put_manifest
from fixtures.accounts import Client
from fixtures.polling import wait_for
from hostile import raw

pytestmark = pytest.mark.alone

MIB = 1024 * 1024
# Well above what the budget of 256 MiB, of which one address has a quarter, lets a process take; far below what the
# bodies are together.
GROWTH_MAX = 256 * MIB


def image_of_size(port, repository, size, number=0):
    image = {**raw.image_of(port, repository), "annotations": {"number": str(number), "padding": ""}}
    image["annotations"]["padding"] = "x" * (size - len(json.dumps(image)))
    content = json.dumps(image).encode()
    assert len(content) == size
    return content


def push(port, repository, reference, content):
    assert raw.put_manifest(port, repository, reference, content).status == 201


def push_with_tags(port, repository, tags):
    """-> the digest of an image with so many long tags."""
    image = raw.image_of(port, repository)
    digest = raw.digest_of(json.dumps(image).encode())
    for start in range(0, tags, 50):
        some = "&".join(f"tag=release-{number:05}-{'x' * 100}" for number in range(start, start + 50))
        assert raw.put_manifest(port, repository, f"{digest}?{some}", image).status == 201
    return digest


def connect(port, receive_bytes=None, source="127.0.0.1"):
    client = socket.socket()
    client.bind((source, 0))
    client.settimeout(raw.TIMEOUT_SECONDS)
    if receive_bytes:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.connect(("127.0.0.1", port))
    return client


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


class Growth:
    """The growth of the peak memory of each process since this was made."""

    def __init__(self, registry):
        self._processes = registry.processes
        self._before = {name: process.memory() for name, process in self._processes.items()}
        for process in self._processes.values():
            process.reset_peak_memory()

    def check(self, limit=GROWTH_MAX):
        growth = {name: process.peak_memory() - self._before[name] for name, process in self._processes.items()}
        assert max(growth.values()) < limit, {name: f"{grown / MIB:.0f} MiB" for name, grown in growth.items()}

    def check_given_back(self, limit=100 * MIB):
        for name, process in self._processes.items():
            wait_for(lambda p=process, n=name: p.memory() - self._before[n], lambda grown: grown < limit, seconds=60)


def used(registry):
    return registry.metrics().total("entrepot_http_body_memory_bytes")


def test_slow_readers_of_one_manifest_share_its_bytes(own_registry):
    content = image_of_size(own_registry.port, "memory/large", 4 * MIB)
    push(own_registry.port, "memory/large", "v1", content)
    growth = Growth(own_registry)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(own_registry.port, receive_bytes=4096)) for _ in range(300)]
        for client in clients:
            client.sendall(b"GET /v2/memory/large/manifests/v1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert {client.recv(12) for client in clients} == {b"HTTP/1.1 200"}
        assert 4 * MIB <= used(own_registry) < 5 * MIB
        growth.check()
        # A reader in good time gets the same bytes.
        assert raw.request(own_registry.port, "GET", "/v2/memory/large/manifests/v1").body == content
    wait_for(lambda: used(own_registry), lambda used_bytes: used_bytes == 0)


def test_one_client_cannot_have_many_large_manifests_under_way(own_registry):
    port = own_registry.port
    for number in range(40):
        push(port, "memory/large", f"v{number}", image_of_size(port, "memory/large", 4 * MIB, number))
    growth = Growth(own_registry)
    statuses = []
    with contextlib.ExitStack() as stack:
        for number in range(40):
            client = stack.enter_context(connect(port, receive_bytes=4096))
            client.sendall(b"GET /v2/memory/large/manifests/v%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number)
            statuses.append(client.recv(12)[-3:])
        growth.check()
    sent = statuses.count(b"200")
    assert 8 <= sent <= 16, sent  # A quarter of 256 MiB.
    assert statuses == [b"200"] * sent + [b"503"] * (40 - sent)
    wait_for(lambda: used(own_registry), lambda used_bytes: used_bytes == 0)
    assert raw.request(port, "GET", "/v2/memory/large/manifests/v39").status == 200


def test_unfinished_pushes_take_the_memory_of_what_has_arrived(own_registry):
    port = own_registry.port
    small = raw.image_of(port, "memory/puts")
    content = image_of_size(port, "memory/puts", 4 * MIB)
    growth = Growth(own_registry)
    head = b"PUT /v2/memory/puts/manifests/v%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
    head += b"Content-Type: application/vnd.oci.image.manifest.v1+json\r\n\r\n"
    with contextlib.ExitStack() as stack:
        # A declared length takes nothing.
        for number in range(100):
            stack.enter_context(connect(port)).sendall(head % (number, len(content)) + content[:10])
        assert used(own_registry) == 0
        refused = 0
        for number in range(200):
            client = stack.enter_context(connect(port))
            try:
                client.sendall(head % (number, len(content)) + content[:-1])
                client.settimeout(0.05)
                refused += client.recv(12) == b"HTTP/1.1 503"
            except (TimeoutError, ConnectionError):
                pass
        assert used(own_registry) <= 64 * MIB
        growth.check()
        assert refused > 0
        assert own_registry.metrics().total("entrepot_http_body_memory_refused_total", reason="client") >= refused
        # What is small goes on, from the same address.
        assert raw.put_manifest(port, "memory/puts", "small", small).status == 201
    wait_for(lambda: used(own_registry), lambda used_bytes: used_bytes == 0)
    push(port, "memory/puts", "v1", content)


def test_large_pushes_at_once_take_little_memory(own_registry):
    port = own_registry.port
    contents = [image_of_size(port, "memory/puts", 4 * MIB, number) for number in range(16)]
    head = b"PUT /v2/memory/puts/manifests/v%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
    growth = Growth(own_registry)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(raw.Connection(port)) for _ in contents]
        for number, (client, content) in enumerate(zip(clients, contents)):
            client.send(head % (number, len(content)) + content[:-1])
        for client, content in zip(clients, contents):
            client.send(content[-1:])
        assert [client.receive().status for client in clients] == [201] * 16
    growth.check(384 * MIB)


def test_a_refused_push_names_the_limit_and_when_to_try_again(own_registry):
    port = own_registry.port
    content = image_of_size(port, "memory/puts", 4 * MIB)
    head = b"PUT /v2/memory/puts/manifests/v1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(content)
    with contextlib.ExitStack() as stack:
        for number in range(1, 17):
            stack.enter_context(connect(port)).sendall(head + content[:-1])
            wait_for(lambda n=number: used(own_registry), lambda used_bytes, n=number: used_bytes == n * 4 * MIB)
        with raw.Connection(port) as connection:
            connection.send(head + content[: 64 * 1024])
            answer = connection.receive()
    assert (answer.status, answer.code()) == (503, "UNAVAILABLE")
    assert int(answer.field("Retry-After")) >= 1
    assert b"a quarter of limits.body_memory_bytes_max" in answer.body


def test_slow_readers_of_a_blob_by_tls_get_small_pieces(make_secured_registry):
    registry = make_secured_registry()
    ci = Client(registry, "ci")
    repository = "driftwood/large"
    content = os.urandom(16 * MIB)
    assert push_blob(ci, repository, content).status == 201
    path = f"/v2/{repository}/blobs/{digest_of(content)}"
    token = ci.token(f"repository:{repository}:pull")
    context = ssl.create_default_context(cafile=registry.ca)
    growth = Growth(registry)
    with contextlib.ExitStack() as stack:
        for _ in range(140):
            client = connect(registry.port, receive_bytes=64 * 1024)
            client = stack.enter_context(context.wrap_socket(client, server_hostname="127.0.0.1"))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            assert client.recv(12) == b"HTTP/1.1 200"
        # The half of a client's share that buffers of blobs may take.
        assert used(registry) == 32 * MIB
        growth.check()
        assert ci.request("GET", path, token=token).body == content
    wait_for(lambda: used(registry), lambda used_bytes: used_bytes == 0)


@pytest.mark.parametrize("ranges", ["", "Range: bytes=0-7000000,7500000-15000000\r\n"], ids=["whole", "ranges"])
def test_slow_readers_of_a_blob_take_little_memory(own_registry, ranges):
    content = os.urandom(16 * MIB)
    digest = raw.push_blob(own_registry.port, "memory/large", content)["digest"]
    growth = Growth(own_registry)
    request = f"GET /v2/memory/large/blobs/{digest} HTTP/1.1\r\nHost: localhost\r\n{ranges}\r\n".encode()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(own_registry.port, receive_bytes=4096)) for _ in range(500)]
        for client in clients:
            client.sendall(request)
        assert {client.recv(12) for client in clients} == {b"HTTP/1.1 206" if ranges else b"HTTP/1.1 200"}
        # The half of a client's share that buffers of blobs may take. A file that is sent by sendfile needs none.
        assert used(own_registry) <= 32 * MIB
        growth.check()
        # A reader in good time gets the same bytes.
        assert raw.request(own_registry.port, "GET", f"/v2/memory/large/blobs/{digest}").body == content
    wait_for(lambda: used(own_registry), lambda used_bytes: used_bytes == 0)


def test_one_account_cannot_have_all_the_memory_from_many_addresses(make_secured_registry):
    limits = {"manifest_bytes_max": MIB, "body_memory_bytes_max": 16 * MIB}
    registry = make_secured_registry(tls=False, config={"limits": limits})
    tokens = {name: Client(registry, name).token("repository:driftwood/puts:pull,push") for name in ("ci", "admin")}
    content = b"{" + b" " * (MIB - 2) + b"}"

    def begin(stack, account, number, source):
        head = f"PUT /v2/driftwood/puts/manifests/v{number} HTTP/1.1\r\nHost: localhost\r\n"
        head += f"Authorization: Bearer {tokens[account]}\r\nContent-Length: {MIB}\r\n\r\n"
        client = stack.enter_context(connect(registry.port, source=source))
        client.sendall(head.encode() + content[:-1])
        return client

    with contextlib.ExitStack() as stack:
        # A quarter of the memory for an address, and half of it for an account.
        for number in range(8):
            begin(stack, "ci", number, f"127.0.0.{2 + number % 2}")
            wait_for(lambda n=number: used(registry), lambda used_bytes, n=number: used_bytes == (n + 1) * MIB)
        client = begin(stack, "ci", 8, "127.0.0.4")
        assert client.recv(12) == b"HTTP/1.1 503"
        assert b"half of limits.body_memory_bytes_max" in client.recv(4096)
        assert registry.metrics().total("entrepot_http_body_memory_refused_total", reason="account") == 1
        begin(stack, "admin", 9, "127.0.0.4")
        wait_for(lambda: used(registry), lambda used_bytes: used_bytes == 9 * MIB)
    wait_for(lambda: used(registry), lambda used_bytes: used_bytes == 0)


def test_requests_that_fail_or_break_off_give_their_memory_back(own_registry):
    port = own_registry.port
    content = image_of_size(port, "memory/large", MIB)
    push(port, "memory/large", "v1", content)
    path = "/v2/memory/large/manifests/v1"
    etag = raw.request(port, "HEAD", path).field("ETag")
    assert raw.request(port, "GET", path, [("If-None-Match", etag)]).status == 304
    assert raw.put_manifest(port, "memory/large", raw.digest_of(b""), content).status == 400
    assert raw.put_manifest(port, "memory/large", "v2", b"[" * MIB).status == 400
    chunks = b"100000\r\n" + b"x" * MIB + b"\r\n"
    put = b"PUT /v2/memory/large/manifests/v2 HTTP/1.1\r\nHost: localhost\r\n"
    with raw.Connection(port) as connection:
        connection.send(put + b"Transfer-Encoding: chunked\r\n\r\n" + 5 * chunks)
        assert connection.receive().status == 413
    upload = raw.start_upload(port, "memory/large").encode()
    for head in (put, b"PATCH " + upload + b" HTTP/1.1\r\nHost: localhost\r\n"):
        client = connect(port)
        client.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        wait_for(lambda: used(own_registry), lambda used_bytes: used_bytes > 0)
        reset(client)
        wait_for(lambda: used(own_registry), lambda used_bytes: used_bytes == 0)
    client = connect(port, receive_bytes=4096)
    client.sendall(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.recv(12) == b"HTTP/1.1 200"
    reset(client)
    wait_for(lambda: used(own_registry), lambda used_bytes: used_bytes == 0)


def test_abandoned_lists_cost_little_and_hold_up_no_pull(own_registry):
    port = own_registry.port
    digest = push_with_tags(port, "memory/tags", 10_000)
    growth = Growth(own_registry)
    for _ in range(2000):
        client = connect(port)
        client.sendall(b"GET /v2/memory/tags/tags/list?n=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        reset(client)
    answer = raw.request(port, "GET", f"/v2/memory/tags/manifests/{digest}")
    assert answer.status == 200
    # The request for the metrics is none of the public port.
    wait_for(lambda: own_registry.metrics().total("entrepot_http_requests_in_flight"), lambda under_way: under_way == 0)
    growth.check()
    growth.check_given_back()


def test_waiting_lists_are_bounded_for_each_client(make_registry):
    registry = make_registry(config={"limits": {"list_requests_waiting_max": 4}})
    port = registry.port
    push_with_tags(port, "memory/tags", 2000)

    def refused():
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(raw.Connection(port)) for _ in range(64)]
            for client in clients:
                client.send(b"GET /v2/memory/tags/tags/list?n=2000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answers = [client.receive() for client in clients]
        assert {answer.status for answer in answers} <= {200, 503}
        return [answer for answer in answers if answer.status == 503]

    answer = wait_for(refused)[0]
    assert answer.code() == "UNAVAILABLE"
    assert int(answer.field("Retry-After")) >= 1
    assert b"a quarter of limits.list_requests_waiting_max" in answer.body
    assert registry.metrics().total("entrepot_list_requests_refused_total", reason="client") >= 1


def test_deleting_a_repository_of_large_manifests_takes_little_memory(make_secured_registry):
    registry = make_secured_registry()
    ci, admin = Client(registry, "ci"), Client(registry, "admin")
    repository = "driftwood/large"
    push_image(ci, repository, "small", "one")
    for number in range(150):
        annotations = {"number": str(number), "padding": "x" * (4 * MIB - 2000)}
        body = manifest_of(b"{}", [b"layer of one"], annotations=annotations)
        assert put_manifest(ci, repository, f"v{number}", body).status == 201
    growth = Growth(registry)
    deleted = admin.request("DELETE", f"/entrepot/v1/repositories/{repository}", "registry:administration:*")
    assert (deleted.status, deleted.json()["manifests"]) == (200, 151), deleted
    growth.check()

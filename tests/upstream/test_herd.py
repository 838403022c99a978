"""Many clients at once: the upstream sees each digest once, and a fetch outlives the client that began it."""

import os
import socket
import threading

import pytest

from fixtures.polling import wait_for
from fixtures.scripted_upstream import digest_of, truncated
from upstream.pulls import (
    APP,
    KIB,
    MIB,
    PartialPull,
    assert_blob,
    blobs,
    get_blob,
    get_manifest,
    in_parallel,
    manifests,
    pull,
)

CLIENTS = 200
LAYERS = 10


@pytest.fixture
def herd_image(upstream):
    return upstream.repository("library/app").add_image(*(os.urandom(32 * KIB) for _ in range(LAYERS)), tag="v1")


def fetches_of(upstream, image):
    """How often each blob of the image was asked for."""
    return {digest: upstream.count("GET", blobs(digest)) for digest in image.blobs}


def once(image):
    return dict.fromkeys(image.blobs, 1)


def test_a_herd_fetches_each_digest_once(cache, app, upstream, herd_image):
    # No answer of the upstream ends before all clients wait for it.
    gates = [upstream.hold(manifests()), upstream.hold(blobs(herd_image.layers[0]), at=16 * KIB)]
    waiting = threading.Semaphore(0)

    def client(number):
        if number < CLIENTS:
            waiting.release()
            pull(cache, app, herd_image)
            return
        for _ in range(CLIENTS):
            waiting.acquire()
        for gate in gates:
            gate.wait_reached()
            wait_for(lambda: cache.metrics().total("entrepot_http_requests_in_flight") >= CLIENTS, seconds=60)
            gate.open()

    in_parallel(CLIENTS + 1, client)
    assert fetches_of(upstream, herd_image) == once(herd_image)
    assert upstream.count("GET", manifests()) == 1
    assert upstream.count("HEAD", manifests()) <= 1


def test_a_herd_does_not_notice_connections_that_break_off(cache, app, upstream, herd_image):
    for digest in herd_image.layers:
        upstream.rule(blobs(digest), truncated(16 * KIB), "GET", times=1)
    in_parallel(50, lambda number: pull(cache, app, herd_image))
    assert fetches_of(upstream, herd_image) == {**once(herd_image), **dict.fromkeys(herd_image.layers, 2)}


@pytest.mark.parametrize("part", [0, 0.5, 0.99])
def test_the_end_of_the_first_client_ends_no_fetch(cache, app, upstream, part):
    layer = upstream.repository("library/app").add_blob(os.urandom(MIB))
    # The bytes before the end are held back until the digest is verified.
    gate = upstream.hold(blobs(layer), at=int(MIB * part))
    if part == 0:
        first = threading.Thread(target=lambda: killed_at_once(cache, app, layer), daemon=True)
        first.start()
        gate.wait_reached()
        first.join()
    else:
        first = PartialPull(cache, app, layer)
        first.read(int(MIB * part) - 128 * KIB)
        gate.wait_reached()
        first.kill()
    second = threading.Thread(target=assert_blob, args=(cache, app, layer))
    second.start()
    gate.open()
    second.join()
    assert_blob(cache, app, layer)
    assert upstream.count("GET", blobs(layer)) == 1


def killed_at_once(cache, app, layer):
    """A client that has sent its request and goes away."""
    with socket.create_connection(("127.0.0.1", cache.port)) as client:
        client.sendall(f"GET /v2/{app}/blobs/{layer} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wait_for(lambda: cache.metrics().total("entrepot_http_requests_in_flight") >= 1)


def test_a_fetch_without_any_client_ends_by_itself(cache, app, upstream):
    layer = upstream.repository("library/app").add_blob(os.urandom(MIB))
    gate = upstream.hold(blobs(layer), at=MIB // 2)
    client = PartialPull(cache, app, layer)
    client.read(64 * KIB)
    client.kill()
    gate.open()
    # Only what is stored can be mounted.
    mount = f"/v2/team/app/blobs/uploads/?mount={layer}&from={app}"
    wait_for(lambda: cache.request("POST", mount, body=b"").status == 201)
    assert upstream.count("GET", blobs(layer)) == 1


def test_clients_join_a_fetch_at_any_time(cache, app, upstream):
    layer = upstream.repository("library/app").add_blob(os.urandom(MIB))
    gate = upstream.hold(blobs(layer), at=MIB // 2)
    clients = []
    for _ in range(5):
        clients.append(PartialPull(cache, app, layer))
        clients[-1].read(256 * KIB)
    gate.open()
    clients.append(PartialPull(cache, app, layer))
    assert all(client.read_rest() for client in clients)
    assert upstream.count("GET", blobs(layer)) == 1


def test_a_slow_client_holds_up_no_other(cache, app, upstream):
    layer = upstream.repository("library/app").add_blob(os.urandom(16 * MIB))
    slow = PartialPull(cache, app, layer)
    slow.read(KIB)
    assert_blob(cache, app, layer)
    assert slow.read_rest()
    assert upstream.count("GET", blobs(layer)) == 1


def test_two_repositories_with_one_digest(cache, app, upstream):
    """What may be read in one repository is not leave to read it in another."""
    data = os.urandom(256 * KIB)
    layer = upstream.repository("library/app").add_blob(data)
    upstream.repository("library/other")
    assert_blob(cache, app, layer)
    other = f"{upstream.name}/library/other"
    assert get_blob(cache, other, layer).status == 404
    upstream.repository("library/other").add_blob(data)
    wait_for(lambda: get_blob(cache, other, layer).status == 200, seconds=60)


def test_a_pull_and_a_push_of_one_digest_at_the_same_time(cache, app, upstream):
    data = os.urandom(MIB)
    layer = upstream.repository("library/app").add_blob(data)
    gate = upstream.hold(blobs(layer), at=MIB // 2)
    client = PartialPull(cache, app, layer)
    client.read(64 * KIB)
    pushed = cache.request("POST", f"/v2/team/pushed/blobs/uploads/?digest={digest_of(data)}", body=data)
    assert pushed.status == 201, pushed
    gate.open()
    assert client.read_rest()
    assert_blob(cache, "team/pushed", layer)
    assert_blob(cache, app, layer)


def test_kill_9_in_the_middle_of_a_fetch(make_cache, upstream, herd_image):
    registry = make_cache(upstream)
    killed = "upstream" if registry.mode == "split" else "entrepot"
    big = upstream.repository("library/app").add_image(os.urandom(MIB), *(os.urandom(KIB) for _ in range(3)), tag="big")
    gate = upstream.hold(blobs(big.layers[0]), at=MIB // 2)
    assert get_manifest(registry, APP, "big").status == 200
    clients = [PartialPull(registry, APP, big.layers[0]) for _ in range(5)]
    for client in clients:
        client.read(64 * KIB)
    registry.kill9(killed)
    assert not any(client.read_rest() for client in clients)
    gate.open()
    registry.start(killed)
    wait_for(lambda: get_blob(registry, APP, big.layers[0], method="HEAD").status == 200)
    pull(registry, APP, big)
    pull(registry, APP, herd_image)


@pytest.mark.modes("split")
def test_without_the_upstream_service_what_is_stored_is_served(make_cache, upstream, herd_image):
    registry = make_cache(upstream)
    pull(registry, APP, herd_image)
    registry.kill9("upstream")
    pull(registry, APP, herd_image, herd_image.digest)
    assert get_manifest(registry, APP, "other").status == 503
    registry.start("upstream")
    wait_for(lambda: get_manifest(registry, APP, "other").status == 404)
    pull(registry, APP, herd_image)


@pytest.mark.modes("split")
def test_two_gateways_share_a_fetch(make_cache, upstream):
    registry = make_cache(upstream, gateways=2)
    layer = upstream.repository("library/app").add_blob(os.urandom(MIB))
    gate = upstream.hold(blobs(layer), at=MIB // 2)
    clients = [PartialPull(registry, APP, layer, address) for address in registry.addresses]
    for client in clients:
        client.read(64 * KIB)
    gate.open()
    assert all(client.read_rest() for client in clients)
    assert upstream.count("GET", blobs(layer)) == 1

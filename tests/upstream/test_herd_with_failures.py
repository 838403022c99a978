"""A herd of clients while something breaks: the first client, the upstream's connections, the process that fetches."""

import http.client
import os
import threading

import pytest

from fixtures.polling import wait_for
from fixtures.scripted_upstream import truncated
from upstream.pulls import APP, KIB, PartialPull, blobs, get_manifest, in_parallel, manifests, pull

CLIENTS = 200
LAYERS = 10
SIZE = 32 * KIB
# The first layer is larger: the last 128 KiB reach a client only when all of it is verified.
FIRST_SIZE = 512 * KIB


@pytest.fixture
def image(upstream):
    return upstream.repository("library/app").add_image(os.urandom(FIRST_SIZE), *(os.urandom(SIZE) for _ in range(LAYERS - 1)), tag="v1")


def fetches_of(upstream, image):
    """How often each blob of the image was asked for."""
    return {digest: upstream.count("GET", blobs(digest)) for digest in image.blobs}


def herd(registry, repository, image):
    """Starts the clients in the background, and waits until all of them wait for an answer -> a function that waits until
    all have pulled the image."""
    errors = []

    def run():
        try:
            in_parallel(CLIENTS, lambda number: pull(registry, repository, image))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    wait_for(lambda: errors or registry.metrics().total("entrepot_http_requests_in_flight") >= CLIENTS, seconds=60)

    def join():
        thread.join()
        if errors:
            raise errors[0]

    return join


def test_the_first_client_of_a_herd_is_killed(cache, app, upstream, image):
    gate = upstream.hold(blobs(image.layers[0]), at=FIRST_SIZE // 2)
    assert get_manifest(cache, app, "v1").status == 200
    first = PartialPull(cache, app, image.layers[0])
    first.read(64 * KIB)
    gate.wait_reached()
    join = herd(cache, app, image)
    first.kill()
    gate.open()
    join()
    assert fetches_of(upstream, image) == dict.fromkeys(image.blobs, 1)
    assert upstream.count("GET", manifests()) == 1


def test_a_herd_whose_upstream_breaks_off_ten_times(cache, app, upstream, image):
    held, *others = image.layers
    gate = upstream.hold(blobs(held), at=FIRST_SIZE // 2, times=1)
    join = herd(cache, app, image)
    upstream.rule(blobs(others[0]), truncated(SIZE // 11), "GET", times=10)
    gate.open()
    join()
    assert fetches_of(upstream, image) == {**dict.fromkeys(image.blobs, 1), others[0]: 11}


def test_kill_9_of_what_fetches_in_the_middle_of_a_herd(make_cache, upstream, image):
    registry = make_cache(upstream)
    killed = "upstream" if registry.mode == "split" else "entrepot"
    gate = upstream.hold(blobs(image.layers[LAYERS // 2]), at=SIZE // 2, times=1)
    broken = []

    def client(number):
        while True:
            try:
                pull(registry, APP, image)
                return
            # A 503 while it is away, or the end of the connection.
            except (AssertionError, http.client.HTTPException, OSError):
                broken.append(number)
                wait_for(registry.processes[killed].alive, seconds=60)

    clients = threading.Thread(target=in_parallel, args=(CLIENTS, client), daemon=True)
    clients.start()
    gate.wait_reached()
    wait_for(lambda: registry.metrics().total("entrepot_http_requests_in_flight") >= CLIENTS, seconds=60)
    registry.kill9(killed)
    gate.open()
    registry.start(killed)
    clients.join()
    assert broken
    pull(registry, APP, image)
    # What it had fetched before is not fetched again.
    counts = fetches_of(upstream, image)
    assert counts.pop(image.layers[LAYERS // 2]) == 2
    assert set(counts.values()) == {1}, counts

"""Two upstream services over one store: one of them fetches a digest, and the other waits for it or takes over."""

import os
import threading

import pytest

from fixtures import http
from fixtures.polling import wait_for
from fixtures.scripted_upstream import digest_of
from upstream.pulls import APP, MIB, PartialPull, blobs, get_blob, in_parallel, pull

pytestmark = pytest.mark.modes("split")

CLAIM_SECONDS = 10


@pytest.fixture
def two(make_cache, upstream):
    return make_cache(upstream, gateways=2, upstream_services=2)


@pytest.fixture
def layer(upstream):
    return upstream.repository("library/app").add_blob(os.urandom(MIB))


class Later:
    """A blob that a thread pulls through the gateway of that number."""

    def __init__(self, registry, number, digest):
        self._thread = threading.Thread(target=self._run, args=(registry, number, digest), daemon=True)
        self._thread.start()
        self.answer = None

    def _run(self, registry, number, digest):
        self.answer = blob_through(registry, number, digest)

    def running(self):
        return self._thread.is_alive()

    def body(self):
        self._thread.join(60)
        assert self.answer is not None and self.answer.status == 200, self.answer
        return self.answer.body


def blob_through(registry, number, digest):
    return http.request("GET", f"http://{registry.addresses[number]}/v2/{APP}/blobs/{digest}")


def awaited(registry, process):
    return registry.metrics(process).total("entrepot_upstream_awaited_fetches_total")


def test_the_second_service_waits_for_the_fetch_of_the_first(two, upstream, layer):
    gate = upstream.hold(blobs(layer), at=MIB // 2)
    first = Later(two, 0, layer)
    gate.wait_reached()
    second = Later(two, 1, layer)
    wait_for(lambda: awaited(two, "upstream2") == 1)
    assert second.running()
    gate.open()
    assert digest_of(first.body()) == layer
    assert digest_of(second.body()) == layer
    assert upstream.count("GET", blobs(layer)) == 1


def test_a_herd_at_both_services_fetches_each_digest_once(two, upstream):
    image = upstream.repository("library/app").add_image(*(os.urandom(32 << 10) for _ in range(10)), tag="v1")

    def client(number):
        for digest in image.blobs:
            assert digest_of(blob_through(two, number % 2, digest).body) == digest

    in_parallel(40, client)
    assert {digest: upstream.count("GET", blobs(digest)) for digest in image.blobs} == dict.fromkeys(image.blobs, 1)
    pull(two, APP, image)


def test_kill_9_of_the_service_that_fetches(two, upstream, layer):
    gate = upstream.hold(blobs(layer), at=MIB // 2)
    first = PartialPull(two, APP, layer)
    first.read(64 << 10)
    gate.wait_reached()
    second = Later(two, 1, layer)
    wait_for(lambda: awaited(two, "upstream2") == 1)
    two.kill9("upstream")
    assert not first.read_rest()
    assert second.running()
    assert upstream.count("GET", blobs(layer)) == 1
    gate.open()
    assert digest_of(second.body()) == layer
    assert upstream.count("GET", blobs(layer)) == 2
    two.start("upstream")
    wait_for(lambda: get_blob(two, APP, layer).status == 200)
    assert upstream.count("GET", blobs(layer)) == 2


def test_a_service_that_starts_again_has_its_own_claims(two, upstream, layer):
    gate = upstream.hold(blobs(layer), at=MIB // 2)
    first = PartialPull(two, APP, layer)
    first.read(64 << 10)
    two.kill9("upstream")
    gate.open()
    two.start("upstream")
    # Nothing of this waits for the claim to end.
    wait_for(lambda: get_blob(two, APP, layer).status == 200, seconds=CLAIM_SECONDS / 2)
    assert awaited(two, "upstream") == 0

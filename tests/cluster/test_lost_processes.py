"""A process of a cluster is killed, frozen or replaced under a load: what was acknowledged is there, and what a client
repeats succeeds."""

import contextlib
import os
import random
import threading
import time
from collections import Counter
from http.client import HTTPException

import pytest

from cluster.gateways import EveryGateway
from cluster.test_spread_requests import append
from fault.content import MIB, OCI_MANIFEST, check_blobs, digest_of, image_of, put_manifest, push
from fixtures import engines
from fixtures.load import Load
from fixtures.polling import wait_for
from fixtures.workload import Client

pytestmark = [pytest.mark.modes("cluster"), pytest.mark.alone]

PROCESSES = ("gateway", "blob", "manifest")
# Within so many seconds a request that is repeated reaches another replica.
PATIENCE = 30


@contextlib.contextmanager
def clients_of(registry, number, seed):
    clients = [Client(registry.url, f"{seed}-{each}", seed) for each in range(number)]
    with Load(clients) as load:
        yield load
    assert sum(client.counts["manifests"] for client in clients) > 10
    now = time.monotonic()
    for client in clients:
        assert client.check(now, now) == []


def served(registry):
    """Whether a push and a pull succeed at the first try."""
    data = os.urandom(1000)
    try:
        return push(registry, "lost/probe", data).status == 201
    except OSError:
        return False


@pytest.mark.parametrize("name", PROCESSES)
def test_kill_9_of_one_process_under_load(registry, name):
    with clients_of(registry, 4, f"kill-{name}") as load:
        for which in (name, name + "2"):
            load.run_for(1)
            registry.kill9(which)
            load.wait_for_progress(requests=30)
            registry.start(which)
            load.wait_for_progress(requests=10)


class Patient:
    """Pushes images to new tags and pulls them. It repeats a request that has no answer after some seconds or gets 503, as
    clients do; then the request must succeed."""

    def __init__(self, registry, name):
        self._registry = registry
        self._repository = f"patient/{name}"
        self._random = random.Random(name)
        self._pushed = {}
        self.counts = Counter()

    def run(self, stop):
        self._stop = stop
        while not stop.is_set():
            layer = self._random.randbytes(self._random.choice((100, 100_000)))
            for data in (b"{}", layer):
                self._repeat(201, "POST", f"blobs/uploads/?digest={digest_of(data)}", data)
            content, tag = image_of(b"{}", layer), f"t{len(self._pushed)}"
            self._repeat(201, "PUT", f"manifests/{tag}", content, {"Content-Type": OCI_MANIFEST})
            self._pushed[tag] = (content, layer)
            self._check(self._random.choice(list(self._pushed)))

    def check(self):
        for tag in self._pushed:
            self._check(tag)

    def _check(self, tag):
        content, layer = self._pushed[tag]
        assert self._repeat(200, "GET", f"manifests/{tag}").body == content
        assert self._repeat(200, "GET", f"blobs/{digest_of(layer)}").body == layer

    def _repeat(self, status, method, path, body=None, headers=None):
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = None
            with contextlib.suppress(OSError, HTTPException):
                answer = self._registry.request(method, f"/v2/{self._repository}/{path}", body=body, headers=headers, timeout=8)
            if answer is not None and answer.status != 503:
                assert answer.status == status, answer
                self.counts["requests"] += 1
                return answer
            assert time.monotonic() < deadline, f"{method} {path} did not succeed within {PATIENCE} s: {answer}"
            self._stop.wait(0.2)


@pytest.mark.parametrize("name", PROCESSES)
def test_one_frozen_process_under_load(registry, name):
    """A frozen process may carry out a request later whose client has given up, so these clients never move a tag."""
    clients = [Patient(registry, f"{name}{number}") for number in range(4)]
    with Load(clients) as load:
        load.wait_for_progress(requests=10)
        with registry.processes[name].frozen():
            load.wait_for_progress(requests=60)
        load.wait_for_progress(requests=20)
        with registry.processes[name + "2"].frozen():
            load.wait_for_progress(requests=60)
        load.wait_for_progress(requests=20)
    for client in clients:
        client.check()


@pytest.mark.parametrize("name", ["gateway", "blob"])
def test_an_upload_goes_on_at_another_replica_after_a_kill(registry, name):
    data = os.urandom(12 * MIB)
    chunk = 4 * MIB
    for which in (name, name + "2"):
        location = registry.request("POST", "/v2/lost/upload/blobs/uploads/").headers["Location"]
        assert append(registry.url, location, data[:chunk], 0).status == 202
        registry.kill9(which)
        # A claim of the killed process may have to end first.
        answer = wait_for(lambda: append(registry.url, location, data[chunk:2 * chunk], chunk),
                          lambda answer: answer.status != 503, seconds=60, pause=0.5)  # fmt: skip
        assert answer.status == 202, answer
        assert append(registry.url, location, data[2 * chunk:], 2 * chunk).status == 202
        assert registry.request("PUT", f"{location}?digest={digest_of(data)}").status == 201
        check_blobs(registry, "lost/upload", [data])
        registry.start(which)


class Strict:
    """Pushes small images and pulls them, each request on a connection of its own. Every request must succeed at the first
    try."""

    def __init__(self, registry, number):
        self._registry = registry
        self._repository = f"strict/{number}"
        self._random = random.Random(number)
        self.counts = Counter()

    def run(self, stop):
        while not stop.is_set():
            layer = self._random.randbytes(self._random.choice((100, 100_000)))
            for data in (b"{}", layer):
                answer = push(self._registry, self._repository, data)
                assert answer.status == 201, answer
            content = image_of(b"{}", layer)
            answer = put_manifest(self._registry, self._repository, "latest", content)
            assert answer.status == 201, answer
            answer = self._registry.request("GET", f"/v2/{self._repository}/manifests/latest")
            assert (answer.status, answer.body) == (200, content), answer
            check_blobs(self._registry, self._repository, [layer])
            self.counts["requests"] += 7


def test_a_roll_out_fails_no_request(own_registry):
    with Load([Strict(own_registry, number) for number in range(4)]) as load:
        load.wait_for_progress(requests=20)
        # In the order of docs/replicas.md: what is called before what calls it.
        for name in ("blob", "blob2", "manifest", "manifest2", "gateway", "gateway2"):
            own_registry.restart(name)
            load.wait_for_progress(requests=20)


def test_a_crash_of_the_database_loses_nothing_acknowledged(own_registry):
    with clients_of(own_registry, 4, "database") as load:
        for _ in range(2):
            load.run_for(2)
            engines.postgres().kill9()
            load.run_for(1)
            engines.postgres().start()
            wait_for(lambda: served(own_registry), seconds=30)
            load.wait_for_progress(requests=20)


def test_a_crash_of_the_object_storage_loses_nothing_acknowledged(own_registry):
    with clients_of(own_registry, 4, "objects") as load:
        load.run_for(2)
        engines.object_storage().process.kill9()
        load.run_for(1)
        engines.object_storage().start()
        wait_for(lambda: served(own_registry), seconds=30)
        load.wait_for_progress(requests=20)


def test_while_the_database_is_away_requests_get_503(own_registry):
    data = os.urandom(1000)
    assert push(own_registry, "lost/away", data).status == 201
    engines.postgres().kill9()
    try:
        for path in ("/v2/lost/away/tags/list", f"/v2/lost/away/blobs/{digest_of(data)}"):
            answer = own_registry.request("GET", path)
            assert answer.status == 503 and answer.headers["Retry-After"], answer
    finally:
        engines.postgres().start()
    wait_for(lambda: served(own_registry), seconds=30)
    check_blobs(EveryGateway(own_registry), "lost/away", [data])

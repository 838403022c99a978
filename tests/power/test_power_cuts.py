"""The power goes at random moments of a load: what was acknowledged before is there and is what it was, and nothing is
there by halves.

The cut is a copy of the disk in one step (fixtures/disk.py): what no program has synced is not on it. Each registry
goes on with what the cut before left, so that what recovers is itself cut again.
"""

import concurrent.futures
import random
import threading
import time

import pytest

from fixtures.disk import PowerDisk
from fixtures.faults import Faults
from fixtures.workload import Client

pytestmark = pytest.mark.alone

SEED = 6
CUTS = 8
CLIENTS = 6
# Short, so that the collector is at work when the power goes.
COLLECTOR = {"lease": "2s", "grace": "0.2s", "interval": "0.1s"}


@pytest.fixture(name="disk")
def fixture_disk(tmp_path):
    disk = PowerDisk(tmp_path / "power")
    try:
        yield disk
    finally:
        disk.close()


class Load:
    """The clients, running until the cut."""

    def __init__(self, clients):
        self._stop = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor(len(clients))
        self._runs = [self._pool.submit(client.run, self._stop) for client in clients]

    def failed(self):
        return any(run.done() for run in self._runs)

    def end(self):
        self._stop.set()
        for run in self._runs:
            run.result()
        self._pool.shutdown()


def load_and_cut(registry, disk, clients, seconds):
    """-> the time just before and just after the cut."""
    load = Load(clients)
    try:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not load.failed():
            time.sleep(0.001)
        began = time.monotonic()
        disk.copy()
        ended = time.monotonic()
    finally:
        registry.kill9()
        load.end()
    return began, ended


def test_power_cuts(disk, make_registry):
    moments = random.Random(SEED)
    clients = [Client("http://none", str(number), SEED, lease=2.0) for number in range(CLIENTS)]
    cut = None
    for _ in range(CUTS + 1):
        registry = make_registry(data=disk.mount / "registry", config={"collector": COLLECTOR})
        for client in clients:
            client.turn_to(registry.url)
            if cut is not None:
                assert client.check(*cut, collected=True) == []
        cut = load_and_cut(registry, disk, clients, moments.uniform(0.3, 3.0))
        disk.cut_to_copy()
    registry = make_registry(data=disk.mount / "registry", config={"collector": COLLECTOR})
    registry.check_stopped()
    assert sum(client.counts["manifests"] for client in clients) > 20 * CUTS


@pytest.mark.modes("standalone")
def test_what_was_not_synced_is_found_missing(disk, make_registry, tmp_path):
    """The cut takes what it should, and the check finds it: of a registry whose syncs do nothing not all is left."""
    faults = Faults(tmp_path / "faults")
    faults.set(skip_syncs=True)
    clients = [Client("http://none", str(number), SEED) for number in range(CLIENTS)]
    registry = make_registry(data=disk.mount / "registry", environment={"*": faults.environment})
    for client in clients:
        client.turn_to(registry.url)
    cut = load_and_cut(registry, disk, clients, 2)
    disk.cut_to_copy()
    registry = make_registry(data=disk.mount / "registry")
    wrong = []
    for client in clients:
        client.turn_to(registry.url)
        wrong += client.check(*cut)
    assert wrong

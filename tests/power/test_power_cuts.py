"""Power cuts at random moments of a load lose nothing that was acknowledged, and leave no partial content.

A power cut is a copy of the disk in one step (fixtures/disk.py), which lacks all data that no program has synced. Each
registry continues with the disk that the last cut left, so that recovery is cut too.
"""

import random
import time

import pytest

from fixtures.disk import PowerDisk
from fixtures.faults import Faults
from fixtures.load import Load
from fixtures.workload import Client

pytestmark = pytest.mark.alone

SEED = 6
CUTS = 8
CLIENTS = 6
# Short delays, so that the collector is at work at each power cut.
COLLECTOR = {"lease": "2s", "grace": "0.2s", "interval": "0.1s"}


@pytest.fixture(name="disk")
def fixture_disk(tmp_path):
    disk = PowerDisk(tmp_path / "power")
    try:
        yield disk
    finally:
        disk.close()


def load_and_cut(registry, disk, clients, seconds):
    """Cuts the power after `seconds` of a load -> the time just before and just after the cut."""
    with Load(clients) as load:
        try:
            load.run_for(seconds)
            began = time.monotonic()
            disk.copy()
            ended = time.monotonic()
        finally:
            registry.kill9()
    return began, ended


def test_power_cuts_under_load_lose_nothing_acknowledged(disk, make_registry):
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
def test_power_cut_without_syncs_loses_content_and_the_check_detects_it(disk, make_registry, tmp_path):
    """Tests the test: if the syncs of a registry do nothing, a cut loses acknowledged content."""
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

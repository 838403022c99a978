"""A million random requests cause no 5xx, no hang and no leak, and the registry still serves."""

import os
import pathlib
import subprocess

from fixtures.registry import PROGRAMS
from hostile.raw import image_of, put_manifest, request

MIB = 1024 * 1024
RANDOM_REQUESTS = pathlib.Path(os.environ.get("ENTREPOT_TEST_PROGRAMS", PROGRAMS)) / "random_requests"
COUNT = int(os.environ.get("ENTREPOT_RANDOM_REQUESTS", "1000000"))


def attack(registry, count, seed):
    ended = subprocess.run([RANDOM_REQUESTS, "127.0.0.1", str(registry.port), str(count), str(seed)], timeout=1200,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def open_files(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def test_random_requests_cause_no_errors_and_no_leaks(make_registry):
    # All requests come from one address, which must not use up its share before the end.
    own_registry = make_registry({"uploads": {"sessions_per_account_max": 10000}})
    image = image_of(own_registry.port, "kept")
    assert put_manifest(own_registry.port, "kept", "v1", image).status == 201
    # The first part fills the caches and the bounded number of upload sessions.
    attack(own_registry, COUNT // 5, seed=1)
    before = {name: (process.memory(), open_files(process)) for name, process in own_registry.processes.items()}
    print(attack(own_registry, COUNT - COUNT // 5, seed=2))
    for name, process in own_registry.processes.items():
        memory, files = before[name]
        assert process.alive()
        assert process.memory() - memory < 24 * MIB, name
        assert open_files(process) - files < 30, name
    assert request(own_registry.port, "GET", "/v2/kept/manifests/v1").status == 200
    assert put_manifest(own_registry.port, "kept", "v2", image_of(own_registry.port, "kept", b"new")).status == 201

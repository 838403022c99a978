"""32 parallel pushes and 32 parallel pulls of 256 MiB blobs keep each process under 128 MiB."""

import os
import pathlib
import subprocess

import pytest

from fixtures.registry import PROGRAMS

pytestmark = pytest.mark.alone

MIB = 1024 * 1024
LOAD = pathlib.Path(os.environ.get("ENTREPOT_TEST_PROGRAMS", PROGRAMS)) / "load"


def test_parallel_pushes_and_pulls_of_large_blobs_use_little_memory(own_registry):
    host, port = own_registry.address.split(":")
    subprocess.run([LOAD, "pull", host, port, "memory/large", "256", "32"], check=True, timeout=900)
    peaks = {name: process.peak_memory() / MIB for name, process in own_registry.processes.items()}
    assert max(peaks.values()) < 128, peaks

#!/usr/bin/python3
"""Measures how much the garbage collector slows pushes: the 99th percentile of the time for a push of a small image
while the collector works through 100,000 unreferenced blobs, divided by that on the same data while the collector is
disabled. Expected: at most 1.5.

Usage: collection.py [--blobs N] [--images N] [--rounds N] [--mode standalone|split]

The two are measured in turn on one data directory, so that other programs on the machine affect both. The collector has
its default pace; only its delays are short.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from fixtures.registry import PROGRAMS, start_registry  # noqa: E402

EXPECTED = 1.5
SHORT = {"lease": "1s", "grace": "0.5s", "interval": "0.1s", "scrub": {"disabled": True}}
DISABLED = {**SHORT, "disabled": True}


def load(registry, mode, *numbers, repository="bench/image"):
    host, port = registry.url.removeprefix("http://").split(":")
    argv = [PROGRAMS / "load", mode, host, port, repository, *map(str, numbers)]
    return json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout)


def garbage(registry):
    """-> how many blobs wait for the collector, and how many objects wait for their deletion."""
    metrics = registry.metrics("manifest" if registry.mode == "split" else "entrepot")
    return metrics.total("entrepot_gc_queue_depth"), metrics.total("entrepot_gc_delete_intents")


def measure(mode, folder, images, collector):
    """-> the timing of pushes with this collector configuration, the number of its reviews, the remaining garbage."""
    registry = start_registry(mode, folder, config={"collector": collector, "log": {"level": "warning"}})
    try:
        load(registry, "small", 200, 8)  # A warm-up, which is not measured.
        # Longer than the lease, so that a working collector is busy; the disabled collector gets the same pause.
        time.sleep(2)
        before = reclaimed(registry)
        timing = load(registry, "small", images, 8)
        return timing, reclaimed(registry) - before, garbage(registry)
    finally:
        registry.stop()


def reclaimed(registry):
    metrics = registry.metrics("manifest" if registry.mode == "split" else "entrepot")
    return metrics.total("entrepot_gc_reviews_total")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blobs", type=int, default=100_000)
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", choices=("standalone", "split"), default="standalone")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as name:
        folder = pathlib.Path(name)
        registry = start_registry(arguments.mode, folder, config={"collector": DISABLED, "log": {"level": "warning"}})
        try:
            seconds = load(registry, "dead", arguments.blobs, 16)["seconds"]
        finally:
            registry.stop()
        print(f"{arguments.blobs:,} unreferenced blobs pushed in {seconds:.0f} s", flush=True)
        found = {"disabled": [], "working": []}
        for number in range(arguments.rounds):
            for what, collector in (("disabled", DISABLED), ("working", SHORT)):
                timing, reviews, (queue, intents) = measure(arguments.mode, folder, arguments.images, collector)
                found[what].append(timing["p99_ms"])
                print(f"round {number + 1}, collector {what:8}: median {timing['median_ms']:6.2f} ms, "
                      f"99th percentile {timing['p99_ms']:7.2f} ms, {arguments.images / timing['seconds']:6.0f} images/s; "
                      f"meanwhile {reviews:.0f} reviews; left: {queue:.0f} in the queue, {intents:.0f} objects",
                      flush=True)
                if what == "working" and not reviews:
                    sys.exit("the collector had no work: use more --blobs or fewer --images")
    disabled, working = (statistics.median(each) for each in found.values())
    verdict = "as expected" if working / disabled <= EXPECTED else "ABOVE"
    print(f"collection     ratio {working / disabled:6.2f} (expected at most {EXPECTED:.1f}: {verdict})   "
          f"99th percentile of pushes of small images, collector working {working:.2f} ms, disabled {disabled:.2f} ms")


if __name__ == "__main__":
    main()

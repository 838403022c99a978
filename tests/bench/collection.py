#!/usr/bin/python3
"""What pushes feel of the garbage collector: how long small images take, at the 99th percentile, while it works through
100,000 dead blobs, divided by what they take on the same data while it stands still. Wanted: 1.5 at most.

Usage: collection.py [--blobs N] [--images N] [--rounds N] [--mode standalone|split]

The two take turns on one data directory, so that what else the machine does meets both. The collector's pace is the
default one; only what it waits for is short.
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

WANTED = 1.5
SHORT = {"lease": "1s", "grace": "0.5s", "interval": "0.1s", "scrub": {"disabled": True}}
STILL = {**SHORT, "disabled": True}


def load(registry, mode, *numbers):
    host, port = registry.address.split(":")
    argv = [PROGRAMS / "load", mode, host, port, "bench/image", *map(str, numbers)]
    return json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout)


def garbage(registry):
    """How many blobs wait for the collector, and how many objects for their end."""
    metrics = registry.metrics("manifest" if registry.mode == "split" else "entrepot")
    return metrics.total("entrepot_gc_queue_depth"), metrics.total("entrepot_gc_delete_intents")


def measure(mode, folder, images, collector):
    """-> the timing of pushes while the collector does that, and what it got done meanwhile."""
    registry = start_registry(mode, folder, config={"collector": collector, "log": {"level": "warning"}})
    try:
        load(registry, "small", 200, 8)  # So that nothing is done for the first time.
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
        registry = start_registry(arguments.mode, folder, config={"collector": STILL, "log": {"level": "warning"}})
        try:
            seconds = load(registry, "dead", arguments.blobs, 16)["seconds"]
        finally:
            registry.stop()
        print(f"{arguments.blobs:,} dead blobs pushed in {seconds:.0f} s", flush=True)
        found = {"still": [], "working": []}
        for number in range(arguments.rounds):
            for what, collector in (("still", STILL), ("working", SHORT)):
                timing, reviews, (queue, intents) = measure(arguments.mode, folder, arguments.images, collector)
                found[what].append(timing["p99_ms"])
                print(f"round {number + 1}, collector {what:7}: median {timing['median_ms']:6.2f} ms, "
                      f"99th percentile {timing['p99_ms']:7.2f} ms, {arguments.images / timing['seconds']:6.0f} images/s; "
                      f"meanwhile {reviews:.0f} reviews; left: {queue:.0f} in the queue, {intents:.0f} objects",
                      flush=True)
                if what == "working" and not reviews:
                    sys.exit("the collector had nothing to do: measure with more --blobs or fewer --images")
    still, working = (statistics.median(each) for each in found.values())
    verdict = "as wanted" if working / still <= WANTED else "ABOVE"
    print(f"collection     ratio {working / still:6.2f} (wanted {WANTED:.1f} at most: {verdict})   "
          f"99th percentile of small images' pushes, collector at work {working:.2f} ms, still {still:.2f} ms")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Runs the services as three processes (gateway, blob service, manifest service) beside the standalone process, on this machine,
and prints ratios:

    push 1 GiB     rate of the push of one blob of 1 GiB. Asked: at least 0.5 x.
    pull 1 GiB     rate of its pull, its bytes over gRPC. Asked: at least 0.35 x.
    pull shared    the same if the gateway reads the blob service's files (blob_files_directory). Asked: at least 0.9 x.
    manifest GET   rate of GETs of a manifest by tag, 32 connections, wrk with one thread. Asked: at least 0.4 x.
    small images   rate of pushes of small images, 8 connections. Asked: at least 0.6 x.

Usage: split_path.py [--only NAME ...] [--rounds N] [--mib N] [--images N] [--seconds N]

Every number is the rate of the three processes divided by that of the one, in the same run. The two take turns, each time with
new data; each ratio is the median of its rounds. A second line shows the CPU time of each process for one unit, in both ways of
running: what the split costs, and where.
"""

import argparse
import collections
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from bench import manifest_gets  # noqa: E402
from bench.collection import load  # noqa: E402
from fixtures.registry import start_registry  # noqa: E402

REPOSITORY = "bench/image"
ASKED = {"push 1 GiB": 0.5, "pull 1 GiB": 0.35, "pull shared": 0.9, "manifest GET": 0.4, "small images": 0.6}


def rate(name, registry, arguments):
    """-> the rate of one round, its unit, and how many units there were in all."""
    if name == "push 1 GiB":
        return arguments.mib / load(registry, "push", arguments.mib, 1, repository=REPOSITORY)["seconds"], "MiB/s", arguments.mib
    if name in ("pull 1 GiB", "pull shared"):
        # The load program pushes it once and pulls it five times.
        return arguments.mib / load(registry, "pull", arguments.mib, 1, repository=REPOSITORY)["seconds"], "MiB/s", 5 * arguments.mib
    if name == "manifest GET":
        load(registry, "small", 1, 1, repository=REPOSITORY)
        found = manifest_gets.rate(registry.address, REPOSITORY, "t0", seconds=arguments.seconds)
        return found, "requests/s", found * arguments.seconds
    seconds = load(registry, "small", arguments.images, 8, repository=REPOSITORY)["seconds"]
    return arguments.images / seconds, "images/s", arguments.images


def run(name, mode, arguments):
    """-> the rate, its unit, and {process: its CPU time for one unit, in microseconds}."""
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as folder:
        data = pathlib.Path(folder)
        config = {"log": {"level": "warning"}}
        if name == "pull shared" and mode == "split":
            config["blob_files_directory"] = str(data / "blob" / "blobs")
        registry = start_registry(mode, data, config=config)
        try:
            before = {each: process.cpu_seconds() for each, process in registry.processes.items()}
            value, unit, units = rate(name, registry, arguments)
            if name == "pull shared" and mode == "split" and not registry.metrics().total("entrepot_gateway_object_files_total", result="opened"):
                sys.exit("the gateway did not read the files of the blob service")
            used = {each: 1e6 * (process.cpu_seconds() - before[each]) / units for each, process in registry.processes.items()}
            return value, unit, used
        finally:
            registry.stop()


def compare(name, arguments):
    rates = {"split": [], "standalone": []}
    used = collections.defaultdict(list)
    for number in range(arguments.rounds):
        # The machine's speed changes while one runs, so the other goes first in the next round.
        for mode in list(rates)[:: -1 if number % 2 else 1]:
            value, unit, found = run(name, mode, arguments)
            rates[mode].append(value)
            for process, microseconds in found.items():
                used[process].append(microseconds)
    ratios = [each / other for each, other in zip(*rates.values())]
    ratio = statistics.median(ratios)
    verdict = "as asked" if ratio >= ASKED[name] else "BELOW"
    split, standalone = (statistics.median(found) for found in rates.values())
    times = ", ".join(f"{process} {statistics.median(found):.1f}" for process, found in used.items())
    print(f"{name:14} ratio {ratio:6.2f} (asked {ASKED[name]:4.2f}: {verdict}; rounds {min(ratios):.2f} to {max(ratios):.2f})   "
          f"split {split:9.1f}, standalone {standalone:9.1f} {unit}\n"
          f"               microseconds of CPU time for each of {unit.partition('/')[0]}: {times}", flush=True)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=ASKED, default=list(ASKED))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mib", type=int, default=1024, help="of the large blob")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=5, help="of GETs of a manifest")
    arguments = parser.parse_args()
    for name in arguments.only:
        compare(name, arguments)


if __name__ == "__main__":
    main()

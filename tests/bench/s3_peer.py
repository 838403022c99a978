#!/usr/bin/python3
"""Runs Entrepot beside distribution, version 3, over one S3 server (versitygw) on this machine, and prints ratios:

    small images   rate of pushes of small images, 8 connections. Asked: at least 3 x.
    push 64 MiB    rate of pushes of blobs of 64 MiB, 4 at once. Asked: at least 1.2 x.
    pull 64 MiB    rate of pulls of them, 4 at once. Asked: at least 1 x.
    manifest GET   rate of GETs of a manifest by tag, 32 connections, wrk with one thread. Asked: at least 3 x.

Usage: s3_peer.py [--records rocksdb|postgres ...] [--only NAME ...] [--rounds N] [--images N] [--blobs N] [--seconds N]

Ours is one process, `entrepot`: its blobs over 64 KiB are in the bucket, its records (manifests, tags, small blobs) in RocksDB
below its data directory, or in a PostgreSQL on this machine. By default both are measured, each beside the peer. The peer keeps
everything in its bucket, with its cache of blob descriptors in memory, parts of 16 MiB as ours, and no redirects to
the S3 server: both send all bytes themselves. Every number is the rate of ours divided by the peer's. The two take turns, each
time with a new bucket; each ratio is the median of its rounds.
"""

import argparse
import contextlib
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from bench import manifest_gets  # noqa: E402
from bench.collection import load  # noqa: E402
from fixtures import engines  # noqa: E402
from fixtures.registry import Registry, add_distribution, start_registry  # noqa: E402
from fixtures.tools import go_tool  # noqa: E402

REPOSITORY = "bench/image"
PART_BYTES = 16 << 20
ASKED = {"small images": 3.0, "push 64 MiB": 1.2, "pull 64 MiB": 1.0, "manifest GET": 3.0}


@contextlib.contextmanager
def ours(records):
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as folder:
        data = pathlib.Path(folder)
        config = {"log": {"level": "warning"}, **engines.configure(data)}
        if records == "rocksdb":
            del config["records"]
        registry = start_registry("standalone", data, config=config)
        try:
            yield registry
        finally:
            registry.stop()


@contextlib.contextmanager
def peer():
    server = engines.object_storage()
    s3 = {
        "accesskey": engines.ACCESS_KEY,
        "secretkey": engines.SECRET_KEY,
        "region": engines.REGION,
        "regionendpoint": server.url,
        "forcepathstyle": True,
        "secure": False,
        "bucket": server.make_bucket(),
        "chunksize": PART_BYTES,
    }
    storage = {"s3": s3, "cache": {"blobdescriptor": "inmemory"}, "redirect": {"disable": True}}
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as folder:
        registry = Registry("peer", pathlib.Path(folder))
        add_distribution(registry, go_tool("distribution"), storage=storage)
        registry.start()
        try:
            yield registry
        finally:
            registry.stop()


def rate(name, registry, arguments):
    """-> the rate of one round, and its unit."""
    if name == "small images":
        return arguments.images / load(registry, "small", arguments.images, 8, repository=REPOSITORY)["seconds"], "images/s"
    if name == "manifest GET":
        load(registry, "small", 1, 1, repository=REPOSITORY)
        return manifest_gets.rate(registry.address, REPOSITORY, "t0", seconds=arguments.seconds), "requests/s"
    # A few at once, several times.
    mode = name.split()[0]
    seconds = [load(registry, mode, 64, 4, repository=REPOSITORY)["seconds"] for _ in range(max(arguments.blobs // 4, 1))]
    return 4 * 64 * len(seconds) / sum(seconds), "MiB/s"


def compare(name, records, arguments):
    rates = {"ours": [], "peer": []}
    for number in range(arguments.rounds):
        # The machine's speed changes while one runs, so the other goes first in the next round.
        for who in list(rates)[:: -1 if number % 2 else 1]:
            with ours(records) if who == "ours" else peer() as registry:
                value, unit = rate(name, registry, arguments)
                rates[who].append(value)
    ratios = [mine / other for mine, other in zip(*rates.values())]
    ratio = statistics.median(ratios)
    verdict = "as asked" if ratio >= ASKED[name] else "BELOW"
    mine, other = (statistics.median(found) for found in rates.values())
    print(f"{name:14} ratio {ratio:6.2f} (asked {ASKED[name]:4.2f}: {verdict}; rounds {min(ratios):.2f} to {max(ratios):.2f})   "
          f"records in {records:8}: entrepot {mine:9.1f}, distribution {other:9.1f} {unit}", flush=True)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", choices=("rocksdb", "postgres"), nargs="+", default=["rocksdb", "postgres"])
    parser.add_argument("--only", nargs="+", choices=ASKED, default=list(ASKED))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--blobs", type=int, default=16, help="of 64 MiB")
    parser.add_argument("--seconds", type=int, default=5, help="of GETs of a manifest")
    arguments = parser.parse_args()
    for records in arguments.records:
        for name in arguments.only:
            compare(name, records, arguments)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Measures what pulls of large damaged blobs cost others: the 99th percentile of the time for a push of a small image while
40 clients pull one damaged blob after the other, divided by that on the same registry without these clients. Expected: at
most 2. The 40 clients have the lowest priority: in use they have machines of their own, and here they would take time from
the registry and from the clients that push.

Usage: damaged_pulls.py [--mib N] [--blobs N] [--images N] [--rounds N] [--mode standalone|split]
"""

import argparse
import concurrent.futures
import contextlib
import http.client
import os
import pathlib
import statistics
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from bench.collection import load  # noqa: E402
from fault.content import MIB, digest_of, push  # noqa: E402
from fault.objects import object_files  # noqa: E402
from fixtures.http import connect  # noqa: E402
from fixtures.registry import start_registry  # noqa: E402

EXPECTED = 2.0
PULLS = 40
CONFIG = {"collector": {"scrub": {"disabled": True}}, "log": {"level": "error"}}


def push_damaged(registry, mib):
    """-> the digest of a blob whose file has another first byte than it was pushed with."""
    data = b"%d" % len(object_files(registry)) + bytes(mib * MIB)
    before = set(object_files(registry))
    assert push(registry, "bench/damaged", data).status == 201
    (path,) = set(object_files(registry)) - before
    with open(path, "r+b") as file:
        file.write(b"x")
    return digest_of(data)


def pull_all(registry, digests, stop):
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
    for digest in digests:
        if stop.is_set():
            return
        connection = connect(registry.url)
        with contextlib.suppress(http.client.HTTPException, OSError), contextlib.closing(connection):
            connection.request("GET", f"/v2/bench/damaged/blobs/{digest}")
            answer = connection.getresponse()
            while answer.read(MIB):
                pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--blobs", type=int, default=4)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", choices=("standalone", "split"), default="standalone")
    arguments = parser.parse_args()
    found = {"without": [], "with": []}
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as name:
        registry = start_registry(arguments.mode, pathlib.Path(name), config=CONFIG)
        try:
            load(registry, "small", 200, 8)  # A warm-up, which is not measured.
            for number in range(arguments.rounds):
                found["without"].append(load(registry, "small", arguments.images, 8)["p99_ms"])
                digests = [push_damaged(registry, arguments.mib) for _ in range(arguments.blobs)]
                stop = threading.Event()
                with concurrent.futures.ThreadPoolExecutor(PULLS) as pool:
                    pulls = [pool.submit(pull_all, registry, digests, stop) for _ in range(PULLS)]
                    found["with"].append(load(registry, "small", arguments.images, 8)["p99_ms"])
                    still_pulling = sum(not each.done() for each in pulls)
                    stop.set()
                print(f"round {number + 1}: 99th percentile {found['without'][-1]:.2f} ms without and "
                      f"{found['with'][-1]:.2f} ms with the pulls, of which {still_pulling} ran to the end", flush=True)
        finally:
            registry.stop()
    without, during = (statistics.median(each) for each in found.values())
    verdict = "as expected" if during / without <= EXPECTED else "ABOVE"
    print(f"damaged pulls  ratio {during / without:6.2f} (expected at most {EXPECTED:.1f}: {verdict})   "
          f"99th percentile of pushes of small images, with {PULLS} pulls {during:.2f} ms, without {without:.2f} ms")


if __name__ == "__main__":
    main()

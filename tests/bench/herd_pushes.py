#!/usr/bin/python3
"""Measures what pushes to a hosted repository feel of clients that wait for an upstream: the rate of pushes of small images
beside a herd whose images are fetched meanwhile, divided by that without the herd. Expected: at least 0.8.

Usage: herd_pushes.py [--clients N] [--layers N] [--mib N] [--upstream-mib N] [--images N] [--rounds N]
                      [--mode standalone|split]

The upstream is a scripted one in this process, which sends at most --upstream-mib MiB each second for a layer; one image
after the other is fetched, until the pushes are done. The clients of the herd have the lowest priority: in use they have
machines of their own, and here they would take time from the registry and from the clients that push.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from bench.collection import load  # noqa: E402
from fixtures.registry import PROGRAMS, start_registry  # noqa: E402
from fixtures.scripted_upstream import ScriptedUpstream, distant  # noqa: E402
from upstream.pulls import MIB, blobs, hub  # noqa: E402

EXPECTED = 0.8


class Herds(threading.Thread):
    """Pulls one new image of the upstream after another until the end of the with-block. `images`: how many there were."""

    def __init__(self, upstream, registry, arguments):
        super().__init__()
        self._upstream = upstream
        self._registry = registry
        self._arguments = arguments
        self._stop_event = threading.Event()
        self._error = None
        self.images = 0

    def run(self):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        piece = os.urandom(self._arguments.mib * MIB - 32)
        while not self._stop_event.is_set() and self._error is None:
            name = os.urandom(8).hex()
            repository = self._upstream.repository(f"library/{name}")
            repository.add_image(*(os.urandom(32) + piece for _ in range(self._arguments.layers)), tag="v1")
            host, port = self._registry.address.split(":")
            argv = ["nice", "-n", "19", PROGRAMS / "load", "image", host, port, f"docker.io/library/{name}"]
            done = subprocess.run([*argv, str(self._arguments.clients), "1"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, check=False)  # fmt: skip
            if done.returncode:
                self._error = done.stderr
            repository.blobs.clear()
            self.images += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._stop_event.set()
        self.join()
        if self._error:
            sys.exit(f"a pull of the herd failed: {self._error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--layers", type=int, default=10)
    parser.add_argument("--mib", type=int, default=8, help="of each layer")
    parser.add_argument("--upstream-mib", type=float, default=20, help="MiB that the upstream sends each second")
    parser.add_argument("--images", type=int, default=3000, help="that are pushed in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", choices=("standalone", "split"), default="standalone")
    arguments = parser.parse_args()
    upstream = ScriptedUpstream()
    upstream.rule(blobs(), distant(0, arguments.upstream_mib * MIB))
    ratios = []
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as folder:
        registry = start_registry(arguments.mode, pathlib.Path(folder), config={"log": {"level": "warning"}},
                                  upstreams={"upstreams": [hub(upstream)]})  # fmt: skip
        try:
            load(registry, "small", 200, 8)  # A warm-up, which is not measured.
            for number in range(arguments.rounds):
                alone = load(registry, "small", arguments.images, 8)
                with Herds(upstream, registry, arguments) as herds:
                    beside = load(registry, "small", arguments.images, 8)
                ratios.append(alone["seconds"] / beside["seconds"])
                print(f"round {number + 1}: {arguments.images / alone['seconds']:.0f} images/s, 99th percentile "
                      f"{alone['p99_ms']:.2f} ms; beside {herds.images} images for {arguments.clients} clients "
                      f"{arguments.images / beside['seconds']:.0f} images/s, {beside['p99_ms']:.2f} ms", flush=True)  # fmt: skip
        finally:
            registry.stop()
            upstream.close()
    ratio = statistics.median(ratios)
    verdict = "as expected" if ratio >= EXPECTED else "BELOW"
    print(f"herd pushes    ratio {ratio:6.2f} (expected at least {EXPECTED:.1f}: {verdict})   rate of pushes of small images "
          f"beside {arguments.clients} clients whose images an upstream sends at {arguments.upstream_mib:g} MiB/s")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Measures whether the garbage collector keeps up with a registry whose images are pushed and deleted at full speed, and what
the pushes feel of it: clients push 200 images a second for two minutes and delete each at once. Expected: at the end
nothing is left of the first minute's garbage, and the 99th percentile of the time for a push is at most 1.5 times that
of the same load with a disabled collector.

Usage: churn.py [--rate N] [--seconds N] [--rounds N] [--mode standalone|split]

The two are measured in turn, each on a data directory of its own. The collector has its default pace and interval; only lease
and grace are short, so that all garbage of a minute is due in that minute.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from bench.collection import garbage, load  # noqa: E402
from fixtures.registry import start_registry  # noqa: E402

EXPECTED = 1.5
WORKING = {"lease": "1s", "grace": "0.5s", "scrub": {"disabled": True}}
DISABLED = {**WORKING, "disabled": True}
BEHIND_MAX_SECONDS = 600


def seconds_until_clean(registry):
    """-> the seconds until no blob waits for the collector and no object for its deletion."""
    begin = time.monotonic()
    while sum(garbage(registry)):
        if time.monotonic() - begin > BEHIND_MAX_SECONDS:
            sys.exit(f"there is still garbage {BEHIND_MAX_SECONDS} s after the load")
        time.sleep(0.5)
    return time.monotonic() - begin


def measure(arguments, collector):
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as name:
        registry = start_registry(arguments.mode, pathlib.Path(name),
                                  config={"collector": collector, "log": {"level": "warning"}})
        try:
            load(registry, "small", 200, 8)  # A warm-up, which is not measured.
            found = load(registry, "churn", arguments.rate, arguments.seconds)
            found["behind"] = None if collector is DISABLED else seconds_until_clean(registry)
            return found
        finally:
            registry.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=200, help="images a second")
    parser.add_argument("--seconds", type=int, default=60, help="of each half of the load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", choices=("standalone", "split"), default="standalone")
    arguments = parser.parse_args()
    found = {"disabled": [], "working": []}
    for number in range(arguments.rounds):
        for what, collector in (("disabled", DISABLED), ("working", WORKING)):
            each = measure(arguments, collector)
            found[what].append(each)
            behind = "" if each["behind"] is None else f", all garbage gone {each['behind']:.0f} s after the load"
            print(f"round {number + 1}, collector {what:8}: median {each['median_ms']:6.2f} ms, 99th percentile "
                  f"{each['p99_ms']:7.2f} ms, {each['images'] / each['seconds']:6.0f} images/s; {each['left']} of "
                  f"{each['first_half']} layers of the first half left{behind}", flush=True)
    disabled, working = (statistics.median(each["p99_ms"] for each in rounds) for rounds in found.values())
    left = max(each["left"] / max(each["first_half"], 1) for each in found["working"])
    verdict = "as expected" if working / disabled <= EXPECTED and not left else "ABOVE"
    print(f"churn          ratio {working / disabled:6.2f} (expected at most {EXPECTED:.1f}, and nothing left: {verdict})   "
          f"99th percentile of pushes of small images that are deleted at once, collector working {working:.2f} ms, "
          f"disabled {disabled:.2f} ms; at most {left:.2%} of a minute's garbage left a minute later")


if __name__ == "__main__":
    main()

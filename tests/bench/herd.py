#!/usr/bin/python3
"""Measures what a herd of clients feels whose image is at an upstream and not here yet, and what a warm pull costs:

    first byte  when the first client has the first byte of a layer, divided by when a client has it that asks the upstream
                directly. Expected: at most 1.5.
    herd        the time until all clients have the image, divided by the slower of one pull from the upstream and as many
                pulls of such an image that was pushed here. Expected: at most 1.2.
    warm        the time of as many pulls of what the herd fetched, divided by that of the image that was pushed here.
                Expected: at most 1.1.
    warm small  the same with images of one layer of 4 KiB, many pulls one after another. Expected: at most 1.1.
    gone        the same while the upstream is gone, for tags that it would have to confirm. Expected: at most 1.2.

Usage: herd.py [--clients N] [--layers N] [--mib N] [--delay-ms N] [--rounds N] [--mode standalone|split]

The upstream is a scripted one in this process; each of its answers begins after --delay-ms. It also counts: if the herd asks
for a digest twice, the program fails. Each ratio is the median of its rounds; hosted and warm pulls take turns.
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from bench.collection import load  # noqa: E402
from fixtures.registry import start_registry  # noqa: E402
from fixtures.scripted_upstream import ScriptedUpstream, distant  # noqa: E402
from upstream.pulls import KIB, MIB, blobs, hub, manifests  # noqa: E402
from upstream.pushes import push_image  # noqa: E402

EXPECTED = {"first byte": 1.5, "herd": 1.2, "warm": 1.1, "warm small": 1.1, "gone": 1.2}
# Such pulls take some tenths of a second, in which the scheduler decides more than the registry: so in several turns.
SMALL_CLIENTS, SMALL_PULLS, SMALL_TURNS = 16, 200, 8


# A second name of the upstream, which has to confirm each tag.
UNTRUSTED = "gone.example"


class Image:
    """The same layers at the upstream, and, with other first bytes, pushed to the registry, so that neither finds the
    other's bytes."""

    def __init__(self, upstream, registry, name, layers, size):
        piece = os.urandom(max(size - 32, 0))
        self.upstream = upstream
        self.cached = f"docker.io/library/{name}"
        self.unconfirmed = f"{UNTRUSTED}/library/{name}"
        self.hosted = f"bench/{name}"
        self.at_upstream = f"library/{name}"
        added = upstream.repository(self.at_upstream).add_image(*(os.urandom(32) + piece for _ in range(layers)), tag="v1")
        self.digests = added.blobs
        push_image(registry.request, self.hosted, [os.urandom(32) + piece for _ in range(layers)], "v1")

    def check_fetched_once(self):
        path = f"/v2/{self.at_upstream}/"
        counts = {digest: self.upstream.count("GET", path + f"blobs/{digest}") for digest in self.digests}
        counts["its manifest"] = self.upstream.count("GET", path + "manifests/.*")
        often = {what: count for what, count in counts.items() if count != 1}
        if often:
            sys.exit(f"the upstream was not asked once for each digest: {often}")


def in_turn(number, registry, hosted, cached, *arguments):
    """-> the timings of pulls from the two repositories; which goes first changes with the number."""
    found = {}
    for repository in (hosted, cached)[:: 1 if number % 2 else -1]:
        found[repository] = load(registry, "image", *arguments, repository=repository)
    return found[hosted], found[cached]


def small_in_turns(registry, hosted, cached):
    """-> the timings of small pulls from the two repositories, added up."""
    turns = [in_turn(number, registry, hosted, cached, SMALL_CLIENTS, SMALL_PULLS) for number in range(SMALL_TURNS)]
    return tuple({what: sum(timing[what] for timing in each) / SMALL_TURNS for what in ("seconds", "median_ms")}
                 for each in zip(*turns))  # fmt: skip


def measure(number, upstream, registry, arguments):
    """-> {what: ratio} of one round."""
    image = Image(upstream, registry, f"app{number}", arguments.layers, arguments.mib * MIB)
    direct = load(upstream, "image", 1, 1, repository=image.at_upstream)
    upstream.forget()
    herd = load(registry, "image", arguments.clients, 1, repository=image.cached)
    image.check_fetched_once()
    hosted, warm = in_turn(number, registry, image.hosted, image.cached, arguments.clients, 1)
    small = Image(upstream, registry, f"small{number}", 1, 4 * KIB)
    load(registry, "image", 1, 1, repository=small.cached)
    hosted_small, warm_small = small_in_turns(registry, small.hosted, small.cached)
    print(f"round {number + 1}: first byte {herd['first_byte_ms']:.1f} ms, directly {direct['first_byte_ms']:.1f} ms; all had it "
          f"after {herd['seconds']:.2f} s, one pull directly {direct['seconds']:.2f} s, hosted pulls {hosted['seconds']:.2f} s, "
          f"warm pulls {warm['seconds']:.2f} s; small: hosted {hosted_small['median_ms']:.2f} ms, warm "
          f"{warm_small['median_ms']:.2f} ms", flush=True)  # fmt: skip
    return {
        "first byte": herd["first_byte_ms"] / direct["first_byte_ms"],
        "herd": herd["seconds"] / max(direct["seconds"], hosted["seconds"]),
        "warm": warm["seconds"] / hosted["seconds"],
        "warm small": warm_small["seconds"] / hosted_small["seconds"],
    }


def measure_gone(upstream, registry, rounds):
    """-> [{what: ratio}], without the upstream from now on."""
    image = Image(upstream, registry, "gone", 1, 4 * KIB)
    load(registry, "image", 1, 1, repository=image.unconfirmed)
    upstream.stop()
    ratios = []
    for number in range(rounds):
        hosted, gone = small_in_turns(registry, image.hosted, image.unconfirmed)
        print(f"round {number + 1}: hosted {hosted['median_ms']:.2f} ms, with the upstream gone {gone['median_ms']:.2f} ms",
              flush=True)  # fmt: skip
        ratios.append({"gone": gone["seconds"] / hosted["seconds"]})
    return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--layers", type=int, default=10)
    parser.add_argument("--mib", type=int, default=8, help="of each layer")
    parser.add_argument("--delay-ms", type=float, default=25, help="until an answer of the upstream begins")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", choices=("standalone", "split"), default="standalone")
    arguments = parser.parse_args()
    upstream = ScriptedUpstream()
    for path in (manifests(), blobs()):
        upstream.rule(path, distant(arguments.delay_ms / 1000))
    untrusted = {"name": UNTRUSTED, "url": upstream.url, "tag_ttl": "0s"}
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as folder:
        registry = start_registry(arguments.mode, pathlib.Path(folder), config={"log": {"level": "warning"}},
                                  upstreams={"upstreams": [hub(upstream, tag_ttl="1h"), untrusted]})  # fmt: skip
        try:
            rounds = [measure(number, upstream, registry, arguments) for number in range(arguments.rounds)]
            rounds += measure_gone(upstream, registry, arguments.rounds)
        finally:
            registry.stop()
            upstream.close()
    for what, expected in EXPECTED.items():
        ratio = statistics.median(each[what] for each in rounds if what in each)
        verdict = "as expected" if ratio <= expected else "ABOVE"
        print(f"{what:14} ratio {ratio:6.2f} (expected at most {expected:.1f}: {verdict})   {arguments.clients} clients, "
              f"{arguments.layers} layers of {arguments.mib} MiB")  # fmt: skip


if __name__ == "__main__":
    main()

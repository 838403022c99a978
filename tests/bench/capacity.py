#!/usr/bin/python3
"""Prints the tables of bench/capacity.md: what the costs that `scripts/bench replicas --json FILE` has measured add up to for
1,000 pushes a second, 10,000 pulls a second and 10^8 blobs.

Usage: capacity.py FILE [--pushes N] [--pulls N] [--blobs N]

Nothing here is measured: each number is a measured cost times a rate, or a number of rows times their measured size.
"""

import argparse
import json
import pathlib

MIB = 1 << 20
GIB = 1 << 30
SERVICES = ("gateway", "manifest", "blob", "postgres", "s3")
SMALL_PUSH, LARGE_PUSH, SMALL_PULL, LARGE_PULL = "push of a small image", "push of 64 MiB", "pull of a small image", "pull of 64 MiB"


class Costs:
    """Of one unit."""

    def __init__(self, found):
        self._costs = found["costs"]
        self._statements = found["statements"]

    def __getitem__(self, what):
        return self._costs.get(what, 0)

    def statements(self, what):
        return self._statements.get(what, 0)

    def sum(self, kind):
        return sum(number for what, number in self._costs.items() if what.startswith(kind))

    def transactions(self):
        return sum(number for what, number in self._costs.items() if what.startswith("engine ") and " transact_" in what)

    def reads(self):
        return self.sum("engine ") - self.transactions()


def print_costs(costs):
    print("| cost of one | " + " | ".join(costs) + " |\n|---|" + "---|" * len(costs))
    lines = {
        **{f"CPU time of {service}, ms": lambda each, service=service: each[f"cpu ms {service}"] for service in SERVICES},
        "calls between processes": lambda each: each["call all"],
        "transactions": Costs.transactions,
        "reads outside of transactions": Costs.reads,
        "locks, exclusive": lambda each: each.statements("locks exclusive"),
        "locks, shared": lambda each: each.statements("locks shared"),
        "rows inserted": lambda each: each["database inserted"],
        "rows updated": lambda each: each["database updated"],
        "rows deleted": lambda each: each["database deleted"],
        "bytes of the log (WAL)": lambda each: each["wal bytes"],
        "syncs of the log": lambda each: each["wal syncs"],
        "time that requests wait for the engine, ms": lambda each: each.sum("waited ms "),
        "requests to the S3 server": lambda each: each["s3 all"],
        "growth of the records, bytes": lambda each: each["size records"] + each["size index of records"],
        "growth of the ids of commits, bytes": lambda each: each["size commits"],
    }
    for name, number in lines.items():
        print(f"| {name} | " + " | ".join(_short(number(each)) for each in costs.values()) + " |")


def _print_cores(cost, rate):
    for service in SERVICES[:4]:
        print(f"| cores of {service} | {rate * cost[f'cpu ms {service}'] / 1000:.1f} |")


def print_pushes(costs, rate):
    small = costs[SMALL_PUSH]
    print(f"\n{rate:,} pushes of small images a second:\n\n| what | needed |\n|---|---|")
    _print_cores(small, rate)
    print(f"| transactions a second | {rate * small.transactions():,.0f} |")
    print(f"| locks a second | {rate * (small.statements('locks exclusive') + small.statements('locks shared')):,.0f} |")
    print(f"| rows written a second | {rate * (small['database inserted'] + small['database updated'] + small['database deleted']):,.0f} |")
    print(f"| log, MiB a second | {rate * small['wal bytes'] / MIB:.1f} |")
    print(f"| log, GiB a day | {rate * 86400 * small['wal bytes'] / GIB:,.0f} |")
    print(f"| connections at work, at the measured waits | {rate * small.sum('waited ms ') / 1000:.0f} |")
    print(f"| calls between processes a second | {rate * small['call all']:,.0f} |")
    print(f"| ids of commits, which stay an hour, GiB | {rate * 3600 * small['size commits'] / GIB:.1f} |")
    print(f"| growth of the records, GiB a day | {rate * 86400 * (small['size records'] + small['size index of records']) / GIB:,.0f} |")
    large = costs[LARGE_PUSH]
    print(f"\nEach GiB/s of pushes of 64 MiB ({GIB // (64 * MIB)} pushes a second):\n\n| what | needed |\n|---|---|")
    _print_bytes(large)


def print_pulls(costs, rate):
    small = costs[SMALL_PULL]
    print(f"\n{rate:,} pulls of small images a second (a manifest, a config, a layer of 4 KiB each):\n\n| what | needed |\n|---|---|")
    _print_cores(small, rate)
    print(f"| reads of the database a second | {rate * small.reads():,.0f} |")
    print(f"| connections at work, at the measured waits | {rate * small.sum('waited ms ') / 1000:.0f} |")
    print(f"| calls between processes a second | {rate * small['call all']:,.0f} |")
    print("\nEach GiB/s of pulls of 64 MiB:\n\n| what | needed |\n|---|---|")
    _print_bytes(costs[LARGE_PULL])


def _print_bytes(large):
    """What a GiB/s of pushes or pulls of 64 MiB needs."""
    units = GIB / (64 * MIB)
    for service in SERVICES:
        print(f"| cores of {service} | {units * large[f'cpu ms {service}'] / 1000:.2f} |")
    print(f"| requests to the S3 server a second | {units * large['s3 all']:.0f} |")
    print(f"| transactions a second | {units * large.transactions():.0f} |")


def print_stored(stored, blobs):
    kinds, overhead = stored["kinds"], stored["overhead"]
    of = lambda *wanted: sum(kinds[kind]["bytes"] / kinds[kind]["rows"] for kind in wanted)
    print(f"\n{blobs:,} blobs, each of one repository and one manifest, five of them in an image with a tag:\n\n| what | GiB |\n|---|---|")
    lines = {
        "`b/`, `l/`, `r/` of each blob": blobs * of("b/", "l/", "r/"),
        "`m/`, `t/`, `d/` of each image": blobs / 5 * of("m/", "t/", "d/"),
    }
    for name, size in lines.items():
        print(f"| {name}, with the index | {size * overhead / GIB:,.0f} |")
    print(f"| all of these | {sum(lines.values()) * overhead / GIB:,.0f} |")
    print(f"| `o/` of each million blobs of up to 64 KiB, here of {of('o/'):,.0f} bytes, with the index | {1e6 * of('o/') * overhead / GIB:,.1f} |")


def _short(number):
    return f"{number:,.0f}" if number >= 100 else f"{number:.2f}" if number else "0"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--pushes", type=int, default=1000)
    parser.add_argument("--pulls", type=int, default=10_000)
    parser.add_argument("--blobs", type=int, default=10**8)
    arguments = parser.parse_args()
    measured = json.loads(arguments.file.read_text())
    costs = {what: Costs(found) for what, found in measured["costs"].items()}
    print_costs(costs)
    print_pushes(costs, arguments.pushes)
    print_pulls(costs, arguments.pulls)
    print_stored(measured["stored"], arguments.blobs)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Shows what each replica adds to the throughput of pushes, and what a push and a pull cost.

    throughput   the rate of pushes of small images, and of blobs of 64 MiB, with 1, 2 and 4 replicas over one PostgreSQL and
                 one S3 server. A replica is a gateway, a manifest service and a blob service; each gateway calls all of
                 them in turn. All clients push to one repository.
    costs        of one push of a small image, one push of 64 MiB, one pull of a small image and one of 64 MiB, on one replica:
                 CPU time, transactions, rows, locks, bytes of the log, requests to the S3 server, calls between processes

Usage: replicas.py [--only throughput|costs] [--sets N ...] [--cores N] [--seconds N] [--large-seconds N] [--rounds N]
                   [--clients N] [--large-clients N] [--think-ms N] [--images N] [--blobs N] [--settle-seconds N] [--json FILE]

This machine is many machines here: the three processes of a replica together get --cores of CPU time, by a cgroup (bench/
cpu_quota.py), in periods of 10 ms. PostgreSQL, the S3 server and the clients have the rest of the machine without a bound. Each
gateway has --clients of its own, which think between two pushes for a random time with the mean --think-ms, and which are
enough to use all CPU time of a replica. So a replica adds as much as it has CPU time, unless something serialises: a lock, the
database, the S3 server. Each line shows in how many of their periods the replicas used up their CPU time. If these are few, and
nothing of the machine was idle, the machine was the limit, and the line proves nothing: use fewer --cores.

--json writes all numbers to a file, for bench/capacity.py.
"""

import argparse
import contextlib
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from bench import costs, statement_trace  # noqa: E402
from bench.collection import load  # noqa: E402
from bench.cpu_quota import CpuQuota  # noqa: E402
from fixtures import engines  # noqa: E402
from fixtures.registry import PROGRAMS, start_registry  # noqa: E402
from upstream.pushes import push_image  # noqa: E402

REPOSITORY = "bench/image"
MIB = 1 << 20
# Fresh content is not due for the collector; what it does meanwhile is not a part of a push.
CONFIG = {"collector": {"disabled": True}, "log": {"level": "warning"}}
# Of a replica's periods: if it used up its CPU time in fewer, something else was its limit.
THROTTLED_LEAST = 0.9
# Of the machine: then that was the machine.
IDLE_LEAST = 0.1


@contextlib.contextmanager
def cluster(replicas):
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as folder:
        registry = start_registry("cluster", pathlib.Path(folder), config=CONFIG, replicas=replicas)
        try:
            yield registry
        finally:
            registry.stop()


@contextlib.contextmanager
def bounded(registry, cores):
    """-> a CpuQuota for each replica."""
    quotas = []
    try:
        for number in range(registry.replicas):
            quotas.append(CpuQuota(str(number), cores))
            for service in ("gateway", "manifest", "blob"):
                name = service if number == 0 else f"{service}{number + 1}"
                quotas[-1].add(registry.processes[name].pid)
        yield quotas
    finally:
        registry.stop()  # A group can only be removed once it is empty.
        for quota in quotas:
            quota.remove()


def machine_ticks():
    """-> the ticks of all processors so far, and those without work."""
    ticks = list(map(int, pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]))
    return sum(ticks), ticks[3] + ticks[4]


class Usage:
    """What was used since it was made."""

    def __init__(self, quotas):
        self._quotas = quotas
        self._begin = time.monotonic()
        self._ticks = machine_ticks()
        self._servers = self._server_seconds()
        self._periods = [quota.periods() for quota in quotas]

    def shares(self):
        """-> {"idle": of all processors, "postgres" and "s3": of one processor, "throttled": of the replicas' periods}"""
        seconds = time.monotonic() - self._begin
        all_ticks, idle_ticks = (now - then for now, then in zip(machine_ticks(), self._ticks))
        servers = {name: (now - self._servers[name]) / seconds for name, now in self._server_seconds().items()}
        periods = [(now[0] - then[0], now[1] - then[1]) for now, then in zip([q.periods() for q in self._quotas], self._periods)]
        throttled = sum(each[1] for each in periods) / max(sum(each[0] for each in periods), 1)
        return {"idle": idle_ticks / all_ticks, "throttled": throttled, **servers}

    @staticmethod
    def _server_seconds():
        return {"postgres": engines.postgres().process.cpu_seconds(), "s3": engines.object_storage().process.cpu_seconds()}


def run_clients(registry, quotas, mode, clients, think_ms, seconds):
    """-> the rate of all clients together, their times and what was used."""
    environment = {**os.environ, "LOAD_THINK_MS": str(think_ms)}
    children = []
    for address in registry.addresses:
        host, port = address.split(":")
        argv = [PROGRAMS / "load", mode, host, port, REPOSITORY, str(clients), str(seconds)]
        children.append(subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment))
    time.sleep(seconds / 4)
    usage = Usage(quotas)
    time.sleep(seconds * 0.75)
    shares = usage.shares()
    found = []
    for child in children:
        output = child.communicate()[0]
        if child.returncode:
            sys.exit(f"the load failed with {registry.replicas} replicas; the logs' ends:\n"
                     + "\n".join(process.log_tail(5) for process in registry.processes.values()))  # fmt: skip
        found.append(json.loads(output))
    return {
        "rate": sum(each["images"] / each["seconds"] for each in found),
        "each": [each["images"] / each["seconds"] for each in found],
        "median_ms": statistics.median(each["median_ms"] for each in found),
        "p99_ms": max(each["p99_ms"] for each in found),
        **shares,
    }


WORKLOADS = {"small": "pushes of small images", "large": "pushes of 64 MiB"}


def throughput(arguments):
    """-> {workload: {replicas: numbers}}; of several rounds, the one with the median rate."""
    rounds = {workload: {replicas: [] for replicas in arguments.sets} for workload in WORKLOADS}
    for number in range(arguments.rounds):
        for replicas in arguments.sets[:: -1 if number % 2 else 1]:
            with cluster(replicas) as registry:
                load(registry, "small", 50, 4, repository=REPOSITORY)  # Makes the repository.
                with bounded(registry, arguments.cores) as quotas:
                    for workload, clients, seconds in (
                        ("small", arguments.clients, arguments.seconds),
                        ("large", arguments.large_clients, arguments.large_seconds),
                    ):
                        found = run_clients(registry, quotas, f"steady_{workload}", clients, arguments.think_ms, seconds)
                        rounds[workload][replicas].append(found)
                        print(f"round {number + 1}, {replicas} replicas: {line(workload, found)}", flush=True)
    middle = lambda each: sorted(each, key=lambda found: found["rate"])[len(each) // 2]
    return {workload: {replicas: middle(each) for replicas, each in found.items()} for workload, found in rounds.items()}


def line(workload, found):
    problem = ""
    if found["throttled"] < THROTTLED_LEAST:
        problem = "; THE MACHINE WAS THE LIMIT" if found["idle"] < IDLE_LEAST else "; THE REPLICAS HAD CPU TIME TO SPARE"
    return (f"{found['rate']:7.2f} {WORKLOADS[workload]} a second, median {found['median_ms']:.1f} ms, 99th percentile "
            f"{found['p99_ms']:.1f} ms; replicas used up {found['throttled']:.0%} of their periods; machine idle {found['idle']:.0%}, "
            f"PostgreSQL {found['postgres']:.2f} cores, S3 server {found['s3']:.2f}{problem}")  # fmt: skip


def print_throughput(found, cores):
    for workload, by_replicas in found.items():
        one = by_replicas[min(by_replicas)]["rate"] / min(by_replicas)
        for replicas, each in by_replicas.items():
            print(f"replicas {workload:6} {replicas} replicas of {cores:g} cores: {each['rate']:8.2f} a second, "
                  f"{each['rate'] / one if one else 0:5.2f} x one replica (asked: that it is shown; "
                  f"{replicas}.00 x if nothing serialises)   {WORKLOADS[workload]}")  # fmt: skip


def measure_costs(arguments):
    """-> {what: {"costs": ..., "statements": ...}} of one unit of what, and what is stored then."""
    found = {}
    with cluster(1) as registry:
        load(registry, "small", 200, 8, repository=REPOSITORY)
        push_image(registry.request, "bench/small", [os.urandom(4096)], "v1")
        push_image(registry.request, "bench/large", [os.urandom(64 * MIB)], "v1")

        # Each makes its load and returns how many units of it. The images of one run have tags that those of another run
        # would only move, so each run has a repository of its own.
        repositories = (f"{REPOSITORY}{number}" for number in itertools.count())

        def small_pushes(images, connections):
            load(registry, "small", images, connections, repository=next(repositories))
            return images

        def large_pushes(blobs):
            for _ in range(blobs):
                load(registry, "push", 64, 1, repository=REPOSITORY)
            return blobs

        def pulls(repository, clients, each):
            load(registry, "image", clients, each, repository=repository)
            return clients * each

        settle = arguments.settle_seconds
        few = max(arguments.images // 20, 10)
        for what, work, traced_work, later in (
            ("push of a small image", lambda: small_pushes(arguments.images, 8), lambda: small_pushes(few, 1), settle),
            ("push of 64 MiB", lambda: large_pushes(arguments.blobs), lambda: large_pushes(3), settle),
            ("pull of a small image", lambda: pulls("bench/small", 8, arguments.images // 8), lambda: pulls("bench/small", 1, few), 0),
            ("pull of 64 MiB", lambda: pulls("bench/large", 2, arguments.blobs // 2), lambda: pulls("bench/large", 1, 3), 0),
        ):
            counted, units = costs.measure(registry, work, settle, later)
            statements = statement_trace.trace(traced_work)
            found[what] = {"costs": {" ".join(name): number for name, number in counted.items()}, "statements": statements}
            print(f"{what}, one of {units}:\n{costs.text(counted)}\n  statements "
                  + ", ".join(f"{name} {number:.2f}" for name, number in statements.items()), flush=True)  # fmt: skip
        kinds, overhead = costs.stored(registry)
    print("bytes of a row, " + ", ".join(f"{kind} {each['bytes'] / each['rows']:.0f}" for kind, each in sorted(kinds.items()))
          + f"; tables and index take {overhead:.2f} times as many")  # fmt: skip
    return found, {"kinds": kinds, "overhead": overhead}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("throughput", "costs"))
    parser.add_argument("--sets", type=int, nargs="+", default=[1, 2, 4], help="numbers of replicas")
    parser.add_argument("--cores", type=float, default=0.15, help="CPU time of a replica; at least 0.1")
    parser.add_argument("--clients", type=int, default=8, help="of each gateway, that push small images")
    parser.add_argument("--large-clients", type=int, default=2, help="of each gateway, that push 64 MiB")
    parser.add_argument("--think-ms", type=float, default=20)
    parser.add_argument("--seconds", type=int, default=30, help="of pushes of small images; a quarter is not measured")
    parser.add_argument("--large-seconds", type=int, default=60, help="of pushes of 64 MiB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=2000, help="whose cost is measured")
    parser.add_argument("--blobs", type=int, default=20, help="of 64 MiB, whose cost is measured")
    parser.add_argument("--settle-seconds", type=int, default=costs.SETTLE_SECONDS,
                        help="before and after what is measured; the sessions of pushes are removed a minute later")  # fmt: skip
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    found = {"cores": arguments.cores}
    if arguments.only != "costs":
        found["throughput"] = throughput(arguments)
        print_throughput(found["throughput"], arguments.cores)
    if arguments.only != "throughput":
        found["costs"], found["stored"] = measure_costs(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Runs Entrepot beside Debian's docker-registry on the same machine and data, and prints ratios.

Usage: compare.py --entrepot BINARY --load BINARY [--before BINARY] [--split] [--rounds N] [--only NAME ...]

Every number is a rate of ours divided by the peer's in the same run: more than 1 means that ours is faster. The two take
turns, so that other load on the machine affects both; each rate is the median of its rounds, and so is the ratio.
Entrepot syncs everything that it acknowledges; the peer does not. The cost of accounts is measured the same way: Entrepot
with accounts and a token beside Entrepot without. With --before, an earlier build of Entrepot takes the peer's place in
every workload. With --split, ours runs as the processes beside the binary: entrepot-gateway, entrepot-blob and
entrepot-manifest.
"""

import argparse
import base64
import crypt
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from bench import manifest_gets  # noqa: E402

REPOSITORY = "bench/image"

# {name: (description, expected ratio)}
BENCHMARKS = {
    "push_1gib": ("push of one 1 GiB blob", 1.5),
    "push_8x128mib": ("8 parallel pushes of 128 MiB", 1.2),
    "pull_1gib": ("pull of one 1 GiB blob", 1.0),
    "pull_32x64mib": ("32 parallel pulls of 64 MiB", 1.0),
    "manifest_get": ("manifest GET by tag, 32 connections, wrk with one thread", 10.0),
    "small_images": ("pushes of small images, 8 connections", 6.0),
    "token_get": ("manifest GET with a bearer token, beside without accounts", 0.9),
    "token_push": ("pushes of small images with a bearer token, beside without accounts", 0.9),
}
NAMES = {"entrepot": "entrepot", "peer": "docker-registry", "accounts": "with accounts", "before": "before"}
# With --before: a change must not cost more than this.
EXPECTED_OF_BEFORE = 0.97
PASSWORD = "benchmark"


def contenders(name, binaries):
    """The two registries whose rates are compared."""
    if "before" in binaries:
        return ("entrepot", "before")
    return ("accounts", "entrepot") if name.startswith("token_") else ("entrepot", "peer")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    for _ in range(200):
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with code {process.returncode}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=1).close()
            return
        except urllib.error.HTTPError:
            return  # The registry runs, and wants a token.
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit(f"{process.args[0]} does not answer on port {port}")


class Registry:
    """A registry with an empty data directory, which runs until the end of the with-block."""

    def __init__(self, name, folder, binary, split=False):
        self.name = name
        self.port = free_port()
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder)
        if split and name != "peer":
            self.commands = self.split_commands(os.path.dirname(binary))
        elif name == "peer":
            self.commands = [[binary, "serve", self.write("config", self.configuration())]]
        else:
            self.commands = [[binary, "--config", self.write("config", self.configuration())]]

    def write(self, name, text):
        path = os.path.join(self.folder, f"{name}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def split_commands(self, programs):
        """The services' commands; the gateway's is the last one."""
        ports = {service: free_port() for service in ("blob", "manifest")}
        blob = f"blob_service: {{target: '127.0.0.1:{ports['blob']}'}}\n"
        manifest = f"manifest_service: {{target: '127.0.0.1:{ports['manifest']}'}}\n"
        fields = {
            "blob": f"grpc: {{port: {ports['blob']}}}\ndata_directory: {self.folder}/blob\n",
            "manifest": f"grpc: {{port: {ports['manifest']}}}\ndata_directory: {self.folder}/manifest\n{blob}",
            "gateway": f"listen: {{port: {self.port}}}\n{blob}{manifest}",
        }
        common = "log: {level: warning}\n"
        return [
            [os.path.join(programs, f"entrepot-{name}"), "--config",
             self.write(name, f"{text}operator: {{port: {free_port()}}}\n{common}")]
            for name, text in fields.items()
        ]

    def configuration(self):
        data = os.path.join(self.folder, "data")
        if self.name != "peer":
            return (
                f"listen: {{port: {self.port}}}\noperator: {{port: {free_port()}}}\ndata_directory: {data}\n"
                f"log: {{level: warning}}\n{self.authentication() if self.name == 'accounts' else ''}"
            )
        return (
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {data}}}}}\n"
            f"http: {{addr: '127.0.0.1:{self.port}', secret: benchmark}}\n"
        )

    def authentication(self):
        accounts, policy = (os.path.join(self.folder, file) for file in ("accounts.htpasswd", "policy.yaml"))
        with open(accounts, "w", encoding="utf-8") as file:
            file.write(f"bench:{crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << 4))}\n")
        with open(policy, "w", encoding="utf-8") as file:
            file.write("rules: [{name: bench, subjects: [bench], repositories: ['bench/**'], actions: [pull, push]}]\n")
        return f"authentication: {{accounts_file: {accounts}, policy_file: {policy}}}\n"

    def token(self):
        """The bearer token of the requests; empty if there are no accounts."""
        if self.name != "accounts":
            return ""
        credential = base64.b64encode(f"bench:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/token?service=entrepot&scope=repository:{REPOSITORY}:pull,push",
            headers={"Authorization": f"Basic {credential}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["token"]

    def __enter__(self):
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.processes = [subprocess.Popen(command, stdout=log, stderr=log) for command in self.commands]
        wait_for(self.port, self.processes[-1])
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder)
        os.sync()


def run_load(load, registry, *arguments):
    mode, *numbers = arguments
    output = subprocess.run(
        [load, mode, "127.0.0.1", str(registry.port), REPOSITORY, *numbers],
        check=True,
        stdout=subprocess.PIPE,
        env=os.environ | ({"LOAD_TOKEN": registry.token()} if registry.name == "accounts" else {}),
    ).stdout
    return json.loads(output)["seconds"]


def run_wrk(load, registry):
    run_load(load, registry, "small", "1", "1")
    return manifest_gets.rate(f"127.0.0.1:{registry.port}", REPOSITORY, "t0", registry.token())


def rate(name, load, registry):
    """The rate of one round, and its unit."""
    if name == "push_1gib":
        return 1024 / run_load(load, registry, "push", "1024", "1"), "MiB/s"
    if name == "push_8x128mib":
        return 1024 / run_load(load, registry, "push", "128", "8"), "MiB/s"
    if name == "pull_1gib":
        return 1024 / run_load(load, registry, "pull", "1024", "1"), "MiB/s"
    if name == "pull_32x64mib":
        return 2048 / run_load(load, registry, "pull", "64", "32"), "MiB/s"
    if name in ("manifest_get", "token_get"):
        return run_wrk(load, registry), "requests/s"
    return 2000 / run_load(load, registry, "small", "2000", "8"), "images/s"


def compare(name, binaries, load, rounds, split):
    rates = {registry: [] for registry in contenders(name, binaries)}
    for number in range(rounds):
        # The machine's speed changes while one runs, so the other goes first in the next round.
        for registry in list(rates)[:: 1 if number % 2 else -1]:
            with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as folder:
                with Registry(registry, folder, binaries[registry], split) as running:
                    value, unit = rate(name, load, running)
                    rates[registry].append(value)
    ours, peer = (statistics.median(found) for found in rates.values())
    ratio = statistics.median(each / other for each, other in zip(*rates.values()))
    what, expected = BENCHMARKS[name]
    first, second = contenders(name, binaries)
    if second == "before":
        expected = EXPECTED_OF_BEFORE
    verdict = "as expected" if ratio >= expected else "BELOW"
    print(f"{name:14} ratio {ratio:6.2f} (expected {expected:4.2f}: {verdict})   "
          f"{NAMES[first]} {ours:9.1f}, {NAMES[second]} {peer:9.1f} {unit}   {what}",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entrepot", required=True, help="our standalone binary")
    parser.add_argument("--load", required=True, help="the load program, //tests/bench:load")
    parser.add_argument("--peer", default="docker-registry", help="the peer's binary")
    parser.add_argument("--before", metavar="BINARY", help="compare with this earlier standalone binary of ours")
    parser.add_argument("--split", action="store_true", help="run ours as processes of its services")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    arguments = parser.parse_args()
    binaries = {"entrepot": arguments.entrepot, "accounts": arguments.entrepot, "peer": arguments.peer}
    if arguments.before:
        binaries["before"] = arguments.before
    for name in arguments.only:
        if (arguments.before or arguments.split) and name.startswith("token_"):
            continue
        compare(name, binaries, arguments.load, arguments.rounds, arguments.split)


if __name__ == "__main__":
    main()

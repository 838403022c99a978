"""Everything at once for a while, with collection that waits for next to nothing: no manifest is refused whose blobs
were acknowledged within the lease, no image fails to be pulled as long as a tag names it, and in the end, when all is
deleted, nothing is left.

One minute as part of scripts/test; scripts/soak runs it for as long as one likes. A failure names its seed:
ENTREPOT_SOAK_SEED=N has the clients do the same again, as far as their threads let them.
"""

import concurrent.futures
import os
import random
import threading
import time
from collections import Counter

import pytest

from fixtures.accounts import write_accounts
from fixtures.workload import Client
from soak.reader import Reader

pytestmark = pytest.mark.alone

SECONDS = float(os.environ.get("ENTREPOT_SOAK_SECONDS", "30"))
SEED = int(os.environ.get("ENTREPOT_SOAK_SEED") or random.randrange(10**9))
WRITERS = 5
READERS = 2
LEASE = 0.5
COLLECTOR = {"lease": f"{LEASE}s", "grace": "0.2s", "interval": "0.1s", "operations_per_second": 20_000}
ACCOUNTS = {"writer": "writer's password", "reader": "reader's password"}
POLICY = """
administrators: [writer]
rules: [{name: readers read, subjects: [reader], repositories: ["load/**"], actions: [pull]}]
"""


@pytest.fixture(name="soaked")
def fixture_soaked(make_registry, tmp_path):
    write_accounts(tmp_path / "accounts", ACCOUNTS)
    (tmp_path / "policy.yaml").write_text(POLICY)
    authentication = {
        "accounts_file": str(tmp_path / "accounts"),
        "policy_file": str(tmp_path / "policy.yaml"),
    }
    # Uploads that nobody ends are garbage too.
    uploads = {"session_lifetime": "5s"}
    return make_registry(config={"collector": COLLECTOR, "uploads": uploads, "authentication": authentication})


def run_all(clients, seconds):
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        runs = [pool.submit(client.run, stop) for client in clients]
        try:
            concurrent.futures.wait(runs, timeout=seconds, return_when=concurrent.futures.FIRST_COMPLETED)
        finally:
            stop.set()
    for run in runs:
        run.result()


def print_summary(mode, clients):
    counts = sum((client.counts for client in clients), Counter())
    print(f"\nsoak, {mode}, {SECONDS:g} s, seed {SEED}:")
    for name, count in sorted(counts.items()):
        print(f"  {count:>12,} {name}")


def test_soak(soaked, mode):
    print(f"seed {SEED}")
    writers = [
        Client(soaked.url, str(number), SEED, lease=LEASE, account=("writer", ACCOUNTS["writer"]))
        for number in range(WRITERS)
    ]
    repositories = [repository.name for writer in writers for repository in writer.repositories]
    account = ("reader", ACCOUNTS["reader"])
    readers = [Reader(soaked.url, repositories, f"{SEED} {number}", account) for number in range(READERS)]
    try:
        run_all([*writers, *readers], SECONDS)
    finally:
        print_summary(mode, [*writers, *readers])
    for writer in writers:
        now = time.monotonic()
        assert writer.check(now, now, collected=True) == []
        writer.delete_everything()
    wait_until_nothing_is_left(soaked)
    print(soaked.check_stopped())


def files_below(soaked):
    """Of all that is in the registry, what is in a file."""
    roots = [path for path in soaked.data.rglob("blobs") if path.is_dir()]
    assert roots
    return [path for root in roots for path in root.rglob("*") if path.is_file() and path.name not in ("store_id",)]


def left(soaked):
    names = soaked.processes if soaked.mode == "split" else {"entrepot": None}
    metrics = [soaked.metrics(name) for name in names if not name.startswith(("gateway", "auth"))]
    gauges = ("entrepot_upload_sessions", "entrepot_gc_queue_depth", "entrepot_gc_delete_intents")
    assert set(gauges) <= {name for each in metrics for name in each.names()}
    values = {gauge: sum(each.total(gauge) for each in metrics) for gauge in gauges}
    return {**{name: value for name, value in values.items() if value}, "files": files_below(soaked)}


def wait_until_nothing_is_left(soaked):
    deadline = time.monotonic() + 30
    while (what := left(soaked)) != {"files": []}:
        assert time.monotonic() < deadline, what
        time.sleep(0.2)

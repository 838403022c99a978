"""Collection with very short delays under a load of all actions loses nothing and leaves no garbage.

A manifest is not refused if its blobs were acknowledged within the lease. An image can be pulled as long as a tag
references it. Beside that, images of an upstream that changes and fails are pulled: what was pulled once can be pulled again
when the upstream is gone. After everything was deleted, no file is left.

scripts/test runs it for a minute; scripts/soak runs it for longer. A failure shows its seed: with ENTREPOT_SOAK_SEED=N
the clients choose the same actions again, but their threads may interleave differently.
"""

import os
import random
import time
from collections import Counter

import pytest

from fixtures.accounts import write_accounts
from fixtures.load import Load
from fixtures.polling import wait_for
from fixtures.scripted_upstream import ScriptedUpstream
from fixtures.workload import Client
from soak.caching import CachePuller, Changes
from soak.reader import Reader

pytestmark = pytest.mark.alone

SECONDS = float(os.environ.get("ENTREPOT_SOAK_SECONDS", "30"))
SEED = int(os.environ.get("ENTREPOT_SOAK_SEED") or random.randrange(10**9))
WRITERS = 5
READERS = 2
CACHE_READERS = 2
CACHED = ("library/a", "library/b")
# A second name of the same upstream, whose cap is always exceeded.
CAPPED = "capped.example"
LEASE = 0.5
COLLECTOR = {"lease": f"{LEASE}s", "grace": "0.2s", "interval": "0.1s", "operations_per_second": 20_000}
ACCOUNTS = {"writer": "writer's password", "reader": "reader's password"}
POLICY = """
administrators: [writer]
rules: [{name: readers read, subjects: [reader], repositories: ["load/**", "docker.io/**", "capped.example/**"], actions: [pull]}]
"""


@pytest.fixture(name="upstream")
def fixture_upstream():
    upstream = ScriptedUpstream()
    yield upstream
    upstream.close()


@pytest.fixture(name="soaked")
def fixture_soaked(make_registry, tmp_path, upstream):
    write_accounts(tmp_path / "accounts", ACCOUNTS)
    (tmp_path / "policy.yaml").write_text(POLICY)
    authentication = {
        "accounts_file": str(tmp_path / "accounts"),
        "policy_file": str(tmp_path / "policy.yaml"),
    }
    # Abandoned upload sessions are garbage too.
    uploads = {"session_lifetime": "5s"}
    entry = {"name": "docker.io", "url": upstream.url, "tag_ttl": "0.2s", "negative_ttl": "0.1s"}
    capped = {**entry, "name": CAPPED, "bytes_max": "1MiB"}
    return make_registry(
        config={"collector": COLLECTOR, "uploads": uploads, "authentication": authentication}, upstreams={"upstreams": [entry, capped]}
    )


def print_summary(mode, clients):
    counts = sum((client.counts for client in clients), Counter())
    print(f"\nsoak, {mode}, {SECONDS:g} s, seed {SEED}:")
    for name, count in sorted(counts.items()):
        print(f"  {count:>12,} {name}")


def test_collection_under_load_loses_nothing_and_leaves_no_garbage(soaked, mode, upstream):
    print(f"seed {SEED}")
    writers = [
        Client(soaked.url, str(number), SEED, lease=LEASE, account=("writer", ACCOUNTS["writer"]))
        for number in range(WRITERS)
    ]
    repositories = [repository.name for writer in writers for repository in writer.repositories]
    account = ("reader", ACCOUNTS["reader"])
    readers = [Reader(soaked.url, repositories, f"{SEED} {number}", account) for number in range(READERS)]
    changes = Changes(upstream, CACHED, SEED)
    pullers = [
        CachePuller(soaked.url, "docker.io", changes, CACHED, f"{SEED} cache {number}", account)
        for number in range(CACHE_READERS)
    ]
    capped = CachePuller(soaked.url, CAPPED, changes, CACHED, f"{SEED} capped", account)
    clients = [*writers, *readers, *pullers, capped, changes]
    try:
        with Load(clients) as load:
            load.run_for(SECONDS)
    finally:
        print_summary(mode, clients)
    upstream.stop()
    pulled = set().union(*(puller.pulled for puller in pullers))
    assert pullers[0].pull_again(pulled) > 0
    for name in ("docker.io", CAPPED):
        CachePuller(soaked.url, name, changes, CACHED, SEED, ("writer", ACCOUNTS["writer"])).delete_repositories()
    for writer in writers:
        now = time.monotonic()
        assert writer.check(now, now, collected=True) == []
        writer.delete_everything()
    nothing = {"files": []}
    wait_for(lambda: left(soaked), lambda found: found == nothing, seconds=30, pause=0.2)
    print(soaked.check_stopped())


def files_below(soaked):
    """The files of all blobs and upload sessions."""
    roots = [path for path in soaked.data.rglob("blobs") if path.is_dir()]
    assert roots
    return [path for root in roots for path in root.rglob("*") if path.is_file() and path.name not in ("store_id", "catalog")]


def left(soaked):
    """-> the gauges of stored or waiting objects that are not 0, and the files."""
    names = soaked.processes if soaked.mode == "split" else {"entrepot": None}
    metrics = [soaked.metrics(name) for name in names if not name.startswith(("gateway", "auth"))]
    gauges = ("entrepot_upload_sessions", "entrepot_gc_queue_depth", "entrepot_gc_delete_intents")
    assert set(gauges) <= {name for each in metrics for name in each.names()}
    values = {gauge: sum(each.total(gauge) for each in metrics) for gauge in gauges}
    return {**{name: value for name, value in values.items() if value}, "files": files_below(soaked)}

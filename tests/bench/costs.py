"""What a load costs a registry on a cluster: what its processes, PostgreSQL and the S3 server count while it runs, without
what they count while there is none.

A cost is {(kind, what): number}. The kinds:
    "cpu ms"       of "gateway", "manifest", "blob" (all processes of that service), "postgres", "s3"
    "engine"       reads and transactions of the KV engine, by service and operation: "manifest multi_get"
    "waited ms"    the time of those, with their waits for a connection and for locks
    "call"         of one process by another, by method, and their sum "all"
    "s3"           requests to the S3 server by operation, and their sum "all"
    "database"     "commits" of transactions, also of reads; rows "inserted", "updated", "deleted"
    "wal"          "bytes", "syncs", "whole pages"
    "size"         bytes by which tables grew: "records", "index of records", "commits"
"""

import collections
import json
import re
import time

from fixtures import engines

# Sessions of uploads are removed a minute after their end.
SETTLE_SECONDS = 75
# A session of PostgreSQL reports what it counted within 10 s once it has nothing to do.
_REPORT_SECONDS = 11
_IDLE_SECONDS = 20

_STATISTICS = {
    ("database", "commits"): "xact_commit",
    ("database", "inserted"): "tup_inserted",
    ("database", "updated"): "tup_updated",
    ("database", "deleted"): "tup_deleted",
}
_SIZES = {
    ("size", "records"): "pg_table_size('entrepot.records')",
    ("size", "index of records"): "pg_indexes_size('entrepot.records')",
    ("size", "commits"): "pg_total_relation_size('entrepot.commits')",
}


def database_of(registry):
    """-> the name of the registry's database."""
    return json.loads((registry.data / "blob.yaml").read_text())["records"]["postgres"]["database"]


def measure(registry, work, settle_seconds, later_seconds):
    """Calls work(), which returns how many units of load it made -> (costs of one unit, the result of work()).

    settle_seconds: how long to wait until nothing is left of earlier load. later_seconds: for how long after the load what is
    counted is a part of it."""
    time.sleep(max(settle_seconds, _REPORT_SECONDS))
    begin, before_idle = time.monotonic(), _read(registry)
    time.sleep(_IDLE_SECONDS)
    idle_seconds = time.monotonic() - begin
    begin, before = time.monotonic(), _read(registry)
    units = work()
    time.sleep(max(later_seconds, _REPORT_SECONDS))
    seconds, after = time.monotonic() - begin, _read(registry)
    costs = {}
    for what in sorted(after):
        idle = (before[what] - before_idle[what]) / idle_seconds * seconds
        costs[what] = max(after[what] - before[what] - idle, 0) / units
    return costs, units


def stored(registry):
    """-> {kind of key: {"rows", "bytes" of keys and values}}, and how many bytes of tables and index each of these takes."""
    kinds = "SELECT convert_from(substring(k for 2), 'UTF8'), count(*), sum(octet_length(k) + octet_length(v)) FROM entrepot.records GROUP BY 1"
    found = {}
    for line in engines.postgres().sql(kinds, database_of(registry)).splitlines():
        kind, rows, size = line.split("|")
        found[kind] = {"rows": int(rows), "bytes": int(size)}
    total = int(engines.postgres().sql("SELECT pg_total_relation_size('entrepot.records')", database_of(registry)))
    return found, total / sum(each["bytes"] for each in found.values())


def _read(registry):
    found = collections.Counter()
    for name, process in registry.processes.items():
        service = re.sub(r"\d+$", "", name)
        found["cpu ms", service] += 1000 * process.cpu_seconds()
        for sample, labels, value in registry.metrics(name).samples:
            if sample == "entrepot_metadata_transaction_duration_seconds_count":
                found["engine", f"{service} {labels['op']}"] += value
            elif sample == "entrepot_metadata_transaction_duration_seconds_sum":
                found["waited ms", f"{service} {labels['op']}"] += 1000 * value
            elif sample == "entrepot_s3_request_duration_seconds_count":
                found["s3", labels["operation"]] += value
                found["s3", "all"] += value
            elif sample == "entrepot_grpc_client_handled_total" and "Health" not in labels["method"]:
                found["call", labels["method"]] += value
                found["call", "all"] += value
    found["cpu ms", "postgres"] = 1000 * engines.postgres().process.cpu_seconds()
    found["cpu ms", "s3"] = 1000 * engines.object_storage().process.cpu_seconds()
    database = database_of(registry)
    columns = {
        **{what: f"(SELECT {column} FROM pg_stat_database WHERE datname = current_database())" for what, column in _STATISTICS.items()},
        ("wal", "bytes"): "pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')",
        ("wal", "syncs"): "(SELECT wal_sync FROM pg_stat_wal)",
        ("wal", "whole pages"): "(SELECT wal_fpi FROM pg_stat_wal)",
        **_SIZES,
    }
    row = engines.postgres().sql("SELECT " + ", ".join(columns.values()), database)
    found.update(dict(zip(columns, map(float, row.split("|")))))
    return found


def text(costs, least=0.005):
    """-> a line for each kind."""
    kinds = collections.defaultdict(list)
    for (kind, what), number in costs.items():
        if number >= least:
            kinds[kind].append(f"{what} {number:,.0f}" if number >= 100 else f"{what} {number:.2f}")
    return "\n".join(f"  {kind:9} {', '.join(each)}" for kind, each in kinds.items())

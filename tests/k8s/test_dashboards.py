"""The dashboards of k8s/ follow the rules of Grafana's dashboard linter (which is not a module that could be installed), use only
metrics and labels that the registry has, and every query is one that Prometheus understands."""

import json
import re
import subprocess
from collections import Counter

import pytest
import yaml

from fixtures.registry import ROOT

DASHBOARDS = {path.name: json.loads(path.read_text()) for path in sorted((ROOT / "k8s/components/monitoring/dashboards").glob("*.json"))}
RULES = yaml.safe_load((ROOT / "k8s/alerts/entrepot.rules.yaml").read_text())
RECORDS = {rule["record"]: rule["expr"] for group in RULES["groups"] for rule in group["rules"] if "record" in rule}
UNITS = {"short", "ops", "reqps", "s", "bytes", "Bps", "percentunit", "bool_yes_no"}
COUNTER = re.compile(r"\b(?:entrepot|process)_\w+_(?:total|bucket|sum|count)\b")
SELECTOR = re.compile(r"\b((?:entrepot|process|job:entrepot)[\w:]*)(\{[^}]*\})?")


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries():
    return [(f"{name}: {panel['title']}", target["expr"]) for name, dashboard in DASHBOARDS.items()
            for panel in panels(dashboard) for target in panel["targets"]]  # fmt: skip


def linted(name, dashboard):
    """-> what the linter would find: template-*, panel-*, target-* and uneditable-dashboard rules."""
    found = []

    def check(holds, *what):
        if not holds:
            found.append(" ".join((name, *what)))

    variables = {each["name"]: each for each in dashboard["templating"]["list"]}
    source = variables.get("datasource", {})
    check((source.get("type"), source.get("query"), source.get("label")) == ("datasource", "prometheus", "Data source"), "datasource")
    for each in ("job", "instance"):
        variable = variables.get(each, {})
        check(variable.get("type") == "query" and variable.get("datasource", {}).get("uid") == "${datasource}", each, "source")
        check(variable.get("multi") is True and variable.get("allValue") == ".+", each, "multi")
        check(variable.get("label") == each.capitalize(), each, "label")
    for each in variables.values():
        check(each["type"] != "query" or each["refresh"] == 2, each["name"], "is not read again if the time changes")
    check(dashboard["editable"] is False, "is editable")
    for panel in panels(dashboard):
        title = panel.get("title", "")
        check(title and panel.get("description"), title, "title and description")
        check(panel["datasource"]["uid"] == "${datasource}", title, "datasource")
        check(panel["fieldConfig"]["defaults"].get("unit") in UNITS, title, "unit")
        check(panel["targets"], title, "has no query")
        for target in panel["targets"]:
            expression = target["expr"]
            check(target["datasource"]["uid"] == "${datasource}", title, "datasource of a query")
            for metric, labels in SELECTOR.findall(expression):
                check('job=~"$job"' in labels, title, metric, "job")
                # What is recorded for a job has no instance.
                check(metric.startswith("job:") or 'instance=~"$instance"' in labels, title, metric, "instance")
            for match in COUNTER.finditer(expression):
                before = expression[: match.start()]
                check(re.search(r"\b(rate|irate|increase)\($", before), title, match[0], "is not in a rate")
            for interval in re.findall(r"\brate\([^\[\]]*\[([^\]]+)\]", expression):
                check(interval == "$__rate_interval", title, "rate over", interval)
    return found


@pytest.mark.parametrize("name", DASHBOARDS)
def test_follows_the_rules_of_the_linter(name):
    assert linted(name, DASHBOARDS[name]) == []


def test_the_linter_of_this_test_finds_mistakes():
    name, dashboard = next(iter(DASHBOARDS.items()))
    broken = json.loads(json.dumps(dashboard))
    broken["editable"] = True
    broken["templating"]["list"] = [each for each in broken["templating"]["list"] if each["name"] != "job"]
    first, second, third = panels(broken)[:3]
    first["fieldConfig"]["defaults"].pop("unit")
    second["targets"][0]["expr"] = 'entrepot_http_requests_total{job=~"$job"}'
    third["targets"][0]["expr"] = 'rate(entrepot_http_requests_total{job=~"$job", instance=~"$instance"}[5m])'
    found = "\n".join(linted(name, broken))
    for what in ("is editable", "job multi", "unit", "instance", "is not in a rate", "rate over 5m"):
        assert what in found


def test_each_dashboard_fits_on_a_screen_or_two_and_is_found():
    assert len(DASHBOARDS) >= 8
    assert len({each["uid"] for each in DASHBOARDS.values()}) == len({each["title"] for each in DASHBOARDS.values()}) == len(DASHBOARDS)
    for name, dashboard in DASHBOARDS.items():
        assert name == dashboard["uid"] + ".json" and "entrepot" in dashboard["tags"]
        assert dashboard["links"][0]["tags"] == ["entrepot"] and dashboard["links"][0]["includeVars"]
        assert len(panels(dashboard)) <= 20, name
        places = [panel["gridPos"] for panel in dashboard["panels"]]
        cells = Counter((x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"]))
        assert max(cells.values()) == 1 and max(x for x, _ in cells) < 24, f"{name}: panels overlap"
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def documented_metrics():
    """tests/docs compares them with the sources."""
    page = (ROOT / "docs/metrics-and-logs.md").read_text()
    return set(re.findall(r"^\| `((?:entrepot|process)_\w+)` \|", page, flags=re.MULTILINE))


def test_panels_use_only_metrics_that_the_registry_has():
    metrics = documented_metrics()
    for where, expression in queries():
        for metric, _ in SELECTOR.findall(expression):
            known = metric in RECORDS or metric in metrics or re.sub(r"_(bucket|count|sum)$", "", metric) in metrics
            assert known, f"{where}: the registry has no {metric}"


def test_every_metric_of_the_documentation_is_on_a_dashboard_or_in_a_rule():
    metrics = documented_metrics()
    used = " ".join(expression for _, expression in queries()) + json.dumps(RULES)
    unused = {metric for metric in metrics if metric not in used}
    # Looked at by hand, or a part of another one.
    assert unused <= {
        "entrepot_blob_lease_renewals_total", "entrepot_blobs_unlinked_total", "entrepot_gateway_mounts_total",
        "entrepot_gateway_object_files_total", "entrepot_gc_clock_steps_total", "entrepot_grpc_server_started_total",
        "entrepot_executor_queue_depth", "entrepot_health_check_age_seconds", "entrepot_health_check_ok",
        "entrepot_list_requests_waiting", "entrepot_postgres_connections_open", "entrepot_postgres_locks_max",
        "entrepot_rocksdb_background_errors_total", "entrepot_rocksdb_blob_file_garbage_bytes",
        "entrepot_rocksdb_block_cache_bytes", "entrepot_rocksdb_compaction_read_bytes_total",
        "entrepot_rocksdb_compaction_write_bytes_total", "entrepot_rocksdb_delayed_write_rate_bytes_per_second",
        "entrepot_rocksdb_flush_bytes_total", "entrepot_rocksdb_keys", "entrepot_rocksdb_level0_files",
        "entrepot_rocksdb_memtable_bytes", "entrepot_rocksdb_wal_bytes_total", "entrepot_rocksdb_wal_syncs_total",
        "entrepot_rocksdb_writing_stopped_by_error", "process_threads",
    }, unused  # fmt: skip


def test_prometheus_understands_every_query(tmp_path):
    rules = [{"record": f"panel:{number}", "expr": re.sub(r"\$(\w+)", "x", expression.replace("$__rate_interval", "5m"))}
             for number, (_, expression) in enumerate(queries())]  # fmt: skip
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout

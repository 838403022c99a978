"""The alerting rules: each is whole, and speaks of metrics that there are."""

import pathlib
import re
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "k8s/alerts/entrepot.rules.yaml"
# Made for the process as a whole by the metrics library's users; not of this registry alone.
COMMON = {"process_start_time_seconds"}


def rules():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def sources():
    files = [path for folder in ("services", "gateway") for path in (ROOT / folder).rglob("*.cc")]
    return "\n".join(path.read_text() for path in files if not path.name.endswith("_test.cc"))


def test_every_rule_is_whole():
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) >= 6
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule
        assert rule["annotations"]["summary"].strip() and rule["annotations"]["description"].strip(), rule


def test_every_metric_is_one_that_the_registry_shows():
    text = sources()
    # A counter's name may be put together of its parts.
    made = {f"entrepot_{what}_reloads_total" for what in re.findall(r'File::Open\("(\w+)"', text)}
    for rule in rules():
        metrics = set(re.findall(r"\b(?:entrepot|process)_\w+", rule["expr"]))
        assert metrics, rule
        for metric in metrics:
            assert f'"{metric}"' in text or metric in made, f"{rule['alert']}: nothing shows {metric}"


def test_every_result_is_one_that_the_registry_counts():
    text = sources()
    for rule in rules():
        for result in re.findall(r'result="(\w+)"', rule["expr"]):
            assert f'"{result}"' in text, f"{rule['alert']}: nothing counts the result {result}"


def test_prometheus_takes_the_rules():
    for arguments in (["check", "rules", RULES], ["test", "rules", RULES.with_name("entrepot.rules.test.yaml")]):
        run = subprocess.run(["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert run.returncode == 0, run.stdout

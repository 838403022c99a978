"""The alerting rules of k8s/alerts are complete and use only metrics that the registry has."""

import pathlib
import re
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "k8s/alerts/entrepot.rules.yaml"


def rules():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def sources():
    files = [path for folder in ("services", "gateway") for path in (ROOT / folder).rglob("*.cc")]
    return "\n".join(path.read_text() for path in files if not path.name.endswith("_test.cc"))


def test_rules_have_unique_names_severities_and_texts():
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) >= 6
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule
        assert rule["annotations"]["summary"].strip() and rule["annotations"]["description"].strip(), rule


def test_rules_use_only_existing_metrics():
    text = sources()
    # File::Open() builds the name of its counter.
    built = {f"entrepot_{what}_reloads_total" for what in re.findall(r'File::Open\("(\w+)"', text)}
    for rule in rules():
        metrics = set(re.findall(r"\b(?:entrepot|process)_\w+", rule["expr"]))
        assert metrics, rule
        for metric in metrics:
            assert f'"{metric}"' in text or metric in built, f"{rule['alert']}: the registry has no metric {metric}"


def test_rules_use_only_existing_result_labels():
    text = sources()
    for rule in rules():
        for result in re.findall(r'result="(\w+)"', rule["expr"]):
            assert f'"{result}"' in text, f"{rule['alert']}: no metric has the result {result}"


def test_promtool_accepts_the_rules_and_their_tests():
    for arguments in (["check", "rules", RULES], ["test", "rules", RULES.with_name("entrepot.rules.test.yaml")]):
        run = subprocess.run(["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert run.returncode == 0, run.stdout

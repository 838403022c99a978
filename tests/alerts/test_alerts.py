"""The alerting rules of k8s/alerts are complete and use only metrics that the registry has."""

import pathlib
import re
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "k8s/alerts/entrepot.rules.yaml"
RUNBOOKS = ROOT / "k8s/runbooks"


def rules():
    """The alerts."""
    return [rule for rule in all_rules() if "alert" in rule]


def all_rules():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def sources():
    files = [path for folder in ("services", "gateway") for path in (ROOT / folder).rglob("*.[ch]*") if path.suffix in (".cc", ".h")]
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
    records = {rule["record"] for rule in all_rules() if "record" in rule}
    for rule in all_rules():
        name = rule.get("alert") or rule["record"]
        recorded = set(re.findall(r"\b\w+:\w+:\w+", rule["expr"]))
        assert recorded <= records, f"{name}: nothing records {recorded - records}"
        metrics = set(re.findall(r"(?<![\w:])(?:entrepot|process)_\w+(?!:)\b", rule["expr"]))
        assert metrics or recorded, rule
        for metric in metrics:
            of_histogram = metric.removesuffix("_count")
            assert any(f'"{each}"' in text for each in (metric, of_histogram)) or metric in built, f"{name}: the registry has no metric {metric}"


def test_rules_use_only_existing_result_labels():
    text = sources()
    for rule in rules():
        for result in re.findall(r"\w+", " ".join(re.findall(r'result=~?"([^"]+)"', rule["expr"]))):
            assert f'"{result}"' in text, f"{rule['alert']}: no metric has the result {result}"


def commands_of_entrepotctl():
    sources = (ROOT / "services/ctl/commands").glob("*_commands.cc")
    return {name for path in sources for name in re.findall(r'\{\.name = "([a-z][a-z -]*)"', path.read_text())}


def test_each_alert_has_a_runbook_that_begins_with_what_to_type():
    pages = {path.name for path in RUNBOOKS.glob("*.md")} - {"README.md"}
    assert pages == {f"{rule['alert']}.md" for rule in rules()}
    overview = (RUNBOOKS / "README.md").read_text()
    for rule in rules():
        name = rule["alert"]
        assert rule["annotations"]["runbook_url"] == f"k8s/runbooks/{name}.md"
        assert f"| [{name}]({name}.md) | {rule['labels']['severity']} |" in overview, name
        text = (RUNBOOKS / f"{name}.md").read_text()
        assert re.match(rf"# {name}\n\n```sh\n(kubectl|entrepotctl|psql) ", text), f"{name} does not begin with a command"
        assert text.count("\n- ") >= 1, name


def test_runbooks_and_alerts_name_commands_that_exist():
    commands = commands_of_entrepotctl()
    assert {"gc status", "scrub", "check"} <= commands
    for path in [RULES, *RUNBOOKS.glob("*.md")]:
        for words in re.findall(r"(?:`|^)entrepotctl\s+([a-z][a-z\s-]*)", path.read_text(), flags=re.MULTILINE):
            words = words.split(" --")[0].split()
            assert any(" ".join(words[:count]) in commands for count in (1, 2)), f"{path.name}: entrepotctl {' '.join(words)}"


def test_the_links_of_runbooks_lead_somewhere():
    for path in RUNBOOKS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)", path.read_text()):
            assert (RUNBOOKS / target).exists(), f"{path.name}: {target}"


def test_promtool_accepts_the_rules_and_their_tests():
    for arguments in (["check", "rules", RULES], ["test", "rules", *sorted(RULES.parent.glob("*.test.yaml"))]):
        run = subprocess.run(["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert run.returncode == 0, run.stdout

"""Renders the plain YAML of k8s/ from the chart, for scripts/render.

The text that Helm makes is cut into files and is not parsed and written again, so its comments stay. What only Helm needs is
left out: its hooks, and the checksum by which pods start again with a new configuration. Kustomize does that by the names of
its ConfigMaps, so each file of a ConfigMap becomes a file below config/."""

import difflib
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
K8S = ROOT / "k8s"
sys.path.insert(0, str(K8S))

import dashboards  # noqa: E402

NOTE = "# Made by scripts/render from k8s/chart: change that.\n"
# What `helm template` is told of the cluster; the chart asks for a newer one than Helm assumes.
KUBERNETES = "1.34.0"


def helm():
    built = subprocess.run([ROOT / "third_party/go/build_tool", "helm"], check=True, stdout=subprocess.PIPE, text=True)
    return built.stdout.strip()


def template(program, *values):
    """-> {template: [the text of each object]}"""
    arguments = [f"--values={K8S / 'values' / name}.yaml" for name in values]
    run = subprocess.run([program, "template", "entrepot", K8S / "chart", f"--kube-version={KUBERNETES}", *arguments],
                         capture_output=True, text=True, check=False)  # fmt: skip
    if run.returncode != 0:
        # Helm notes each symbolic link that it follows.
        sys.exit("".join(line + "\n" for line in run.stderr.split("\n") if "found symbolic link" not in line))
    objects = {}
    for text in re.split(r"^---\n", run.stdout, flags=re.MULTILINE):
        source = re.match(r"# Source: entrepot/templates/(\S+)\.yaml\n", text)
        if source and yaml.safe_load(text):
            objects.setdefault(source[1], []).append(plain(text[source.end():]))
    return objects


def plain(text):
    """Without what only Helm needs."""
    text = re.sub(r"^ +checksum/config: .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^ +helm\.sh/.*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^ +annotations:\n(?! +\S+: )", "", text, flags=re.MULTILINE)
    # An "annotations:" whose lines are gone has a line of its own level, or of a lower one, behind it.
    text = re.sub(r"^( +)annotations:\n(?!\1 )", "", text, flags=re.MULTILINE)
    # Blank lines in a block text have the spaces of its level.
    return re.sub(r" +$", "", text, flags=re.MULTILINE).strip("\n") + "\n"


def joined(objects):
    workloads = [text for text in objects if re.search(r"^kind: (Deployment|StatefulSet)$", text, flags=re.MULTILINE)]
    return NOTE + "---\n".join(workloads + [text for text in objects if text not in workloads])


def config_files(objects):
    """-> {path: text} of the files in the ConfigMaps."""
    files = {}
    for text in objects:
        for name, content in yaml.safe_load(text)["data"].items():
            files[f"config/{name}"] = NOTE + content.strip("\n") + "\n"
    return files


def shape(objects, leave_out=()):
    """-> {path: text} of a whole registry."""
    files = {f"{name}.yaml": joined(texts) for name, texts in objects.items() if name not in ("config", *leave_out)}
    return files | config_files(objects["config"])


def below(directory, files):
    return {f"{directory}/{path}": text for path, text in files.items()}


def render():
    """-> {path below k8s: text}"""
    program = helm()
    base = template(program, "base")
    cluster = template(program, "base", "cluster")
    parts = template(program, "base", "components")
    make, upgrade = base["schema-job"]
    with_records = [f"config/{service}.yaml" for service in ("blob", "manifest", "auth", "upstream")]
    own_config = {path: text for path, text in config_files(cluster["config"]).items() if path in with_records}
    own_make, own_upgrade = cluster["schema-job"]
    pod_monitor, rules = parts["monitoring"]
    certificates = [text for text in parts["certificates"] if "name: entrepot-tls\n" not in text]
    return {
        **below("base", shape(base, leave_out=("schema-job",))),
        "base/schema-make/job.yaml": joined([make]),
        "base/schema-upgrade/job.yaml": joined([upgrade]),
        **below("overlays/cluster", own_config),
        "overlays/cluster/schema-make/job.yaml": joined([own_make]),
        "overlays/cluster/schema-upgrade/job.yaml": joined([own_upgrade]),
        **below("overlays/single", shape(template(program, "single"))),
        **below("overlays/mirror", shape(template(program, "mirror"))),
        "components/autoscaling/autoscaling.yaml": joined(parts["autoscaling"]),
        "components/cert-manager-peers/certificates.yaml": joined(certificates),
        "components/cert-manager-tls/certificate.yaml": joined([t for t in parts["certificates"] if t not in certificates]),
        "components/gateway-api/http-route.yaml": joined(parts["http-route"]),
        "components/ingress/ingress.yaml": joined(parts["ingress"]),
        "components/monitoring/pod-monitor.yaml": joined([pod_monitor]),
        "components/monitoring/rules.yaml": joined([rules]),
    } | below("components/monitoring/dashboards", dashboards.render())


def stale_files(rendered):
    """Files that have the note, or are dashboards, and are not rendered any more."""
    found = [path for path in K8S.rglob("*.yaml") if "chart" not in path.parts and path.read_text().startswith(NOTE)]
    found += (K8S / "components/monitoring/dashboards").glob("*.json")
    return [path for path in found if str(path.relative_to(K8S)) not in rendered]


def differences(rendered):
    """-> the lines that differ from what is in the tree."""
    lines = [f"{path.relative_to(ROOT)} is not rendered any more" for path in stale_files(rendered)]
    for path, text in rendered.items():
        file = K8S / path
        there = file.read_text() if file.exists() else ""
        lines += difflib.unified_diff(there.splitlines(), text.splitlines(), f"k8s/{path}", "rendered", lineterm="")
    return lines


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit("usage: scripts/render [--check]")
    rendered = render()
    if sys.argv[1:]:
        lines = differences(rendered)
        if lines:
            sys.exit("\n".join(lines) + "\nscripts/render writes these files")
        return
    for path in stale_files(rendered):
        path.unlink()
    for path, text in rendered.items():
        file = K8S / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


if __name__ == "__main__":
    main()

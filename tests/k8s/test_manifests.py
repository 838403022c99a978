"""The manifests of k8s/: what is rendered is what is committed, every pod is hardened and drains in time, and every
configuration in them is one that its program accepts."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from fixtures.certificates import Authority
from fixtures.polling import wait_for
from fixtures.ports import free_port
from fixtures.registry import PROGRAMS, ROOT
from k8s.manifests import CHARTS, EVERYTHING, K8S, KUBERNETES, OVERLAYS, chart, configuration, named, objects, of_kind, overlay, pods, run, variants
from fixtures.tools import go_tool

COMPONENTS = sorted(path.parent.name for path in (K8S / "components").glob("*/kustomization.yaml"))


def seconds(duration):
    return {"s": 1, "m": 60, "h": 3600}[duration[-1]] * float(duration[:-1])


def test_what_is_rendered_is_what_is_committed():
    done = subprocess.run([sys.executable, ROOT / "scripts/render.py", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_what_the_chart_gives(name):
    """But for what Helm adds, and for the names by which kustomize replaces pods."""
    found = overlay(name)
    assert of_kind(found, "Service") and of_kind(found, "NetworkPolicy")
    by_helm = chart((K8S / "values" / f"{'base' if name.startswith('cluster') else name}.yaml").read_text())
    strip = lambda text: re.sub(r"-config-[a-z0-9]{10}\b", "-config", text)
    for each in by_helm:
        kind, own = each["kind"], each["metadata"]["name"]
        if kind in ("ConfigMap", "Job") or (name == "cluster" and own in ("entrepot-blob", "entrepot-s3")):
            continue
        other = json.loads(strip(json.dumps(named(found, kind, own))))
        other["metadata"].pop("namespace")
        for one in (each, other):
            template = one["spec"].get("template", {}) if "spec" in one else {}
            template.get("metadata", {}).pop("annotations", None)
            for container in template.get("spec", {}).get("containers", []):
                container.pop("image")
        assert each == other


@pytest.mark.parametrize("name", COMPONENTS)
def test_each_component_can_be_added(name, tmp_path):
    """To a copy, because kustomize reads nothing outside of its root."""
    shutil.copytree(K8S, tmp_path / "k8s", symlinks=True)
    mine = tmp_path / "k8s/overlays/mine"
    mine.mkdir()
    (mine / "kustomization.yaml").write_text(f"resources: [../cluster]\ncomponents: [../../components/{name}]\n")
    assert run(go_tool("kustomize"), "build", mine) != run(go_tool("kustomize"), "build", K8S / "overlays/cluster")


def test_the_chart_can_be_packaged_with_all_its_files(tmp_path):
    run(go_tool("helm"), "package", K8S / "chart", "--destination", tmp_path)
    (package,) = tmp_path.glob("*.tgz")
    by_package = objects(run(go_tool("helm"), "template", "entrepot", package, f"--kube-version={KUBERNETES}", "--values=-",
                             input=EVERYTHING))  # fmt: skip
    assert by_package == chart(EVERYTHING)
    assert of_kind(by_package, "PrometheusRule")[0]["spec"]["groups"]


@pytest.mark.parametrize("values, message", [
    ("mode: single", "the registry has no accounts"),
    ("{open: true, accounts: {secret: x}}", "open=true is for a registry without accounts"),
    ("{mode: cluster, open: true, postgres: {passwordSecret: x}, s3: {endpoint: 'http://s3', bucket: b}}",
     "mode=cluster needs postgres.servers"),
    ("{mode: cluster, open: true, postgres: {servers: [db]}}", "postgres.passwordSecret names the Secret"),
    ("{service: {type: LoadBalancer}, accounts: {secret: x}}", "behind a load balancer, set tls.secret"),
    ("{open: true, accounts: {identityKeys: x}}", "accounts.identityKeys is for a registry with accounts"),
    ("{open: true, mod: single}", "additional properties 'mod' not allowed"),
    ("{open: true, mode: standalone}", "mode"),
])  # fmt: skip
def test_the_chart_refuses_what_cannot_work(values, message):
    done = subprocess.run([go_tool("helm"), "template", "entrepot", K8S / "chart", f"--kube-version={KUBERNETES}", "--values=-"],
                          input=values, capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode != 0 and message in done.stderr, done.stderr


def test_nothing_is_random_and_no_secret_is_made():
    for name, values in CHARTS.items():
        assert chart(values) == chart(values), name
    for name, found in variants().items():
        assert not of_kind(found, "Secret"), name


def test_every_pod_is_restricted():
    for variant, found in variants().items():
        for name, template in pods(found).items():
            spec, where = template["spec"], f"{variant}: {name}"
            assert spec["automountServiceAccountToken"] is False, where
            assert not any(spec.get(field) for field in ("hostNetwork", "hostPID", "hostIPC")), where
            assert spec["securityContext"]["runAsNonRoot"] is True, where
            assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, where
            for volume in spec["volumes"]:
                assert {"configMap", "secret", "emptyDir", "projected"} & set(volume), f"{where}: {volume}"
            (container,) = spec["containers"]
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            }, where  # fmt: skip
            resources = container["resources"]
            assert set(resources["limits"]) == {"memory"} and set(resources["requests"]) == {"cpu", "memory"}, where


def test_probes_cannot_end_a_process_whose_database_is_away():
    for variant, found in variants().items():
        for name, template in pods(found).items():
            if name.startswith("Job/"):
                continue
            (container,) = template["spec"]["containers"]
            ends = [container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe")]
            assert ends == [{"path": "/healthz", "port": "operator"}] * 2, f"{variant}: {name}"
            assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "operator"}
            assert {"name": "operator", "containerPort": 5001} in container["ports"]
            assert container["livenessProbe"]["periodSeconds"] * container["livenessProbe"]["failureThreshold"] >= 60


def test_a_pod_has_the_time_to_drain():
    for variant, found in variants().items():
        for name, template in pods(found).items():
            if name.startswith("Job/"):
                continue
            config = yaml.safe_load(configuration(found, template)[0])
            needed = seconds(config.get("drain_delay", "0s")) + seconds(config["drain_timeout"]) + 5
            assert template["spec"]["terminationGracePeriodSeconds"] >= needed + 5, f"{variant}: {name}"
            if "-gateway" in name:
                (container,) = template["spec"]["containers"]
                probe = container["readinessProbe"]
                assert seconds(config["drain_delay"]) >= probe["periodSeconds"] * probe["failureThreshold"] + 5, variant


def test_a_deployment_is_replaced_one_by_one_and_evicted_one_by_one():
    for variant, found in variants().items():
        budgets = {json.dumps(each["spec"]["selector"]): each["spec"] for each in of_kind(found, "PodDisruptionBudget")}
        deployments = of_kind(found, "Deployment")
        assert len(budgets) == len(deployments), variant
        for deployment in deployments:
            spec = deployment["spec"]
            assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
            budget = budgets[json.dumps(spec["selector"])]
            assert (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")
            spread = spec["template"]["spec"]["topologySpreadConstraints"]
            assert [each["topologyKey"] for each in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
            assert all(each["labelSelector"] == spec["selector"] for each in spread)
            # A volume that one pod holds would keep its successor from starting.
            assert not any("persistentVolumeClaim" in volume for volume in spec["template"]["spec"]["volumes"])
        for stateful in of_kind(found, "StatefulSet"):
            spec = stateful["spec"]
            assert spec["replicas"] == 1 and spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"
            named(found, "Service", spec["serviceName"])


def matches(selector, labels):
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def opened(policies, direction, labels, peer, port):
    """Whether some policy opens the port for the pod with the labels; peer: the other pod's labels, None if it is outside."""
    for policy in policies:
        spec = policy["spec"]
        if direction not in spec["policyTypes"] or not matches(spec["podSelector"], labels):
            continue
        for rule in spec.get(direction.lower(), []):
            peers = rule.get("from" if direction == "Ingress" else "to", [])
            if port not in [each["port"] for each in rule.get("ports", [])]:
                continue
            if not peers or (peer is not None and any(matches(each.get("podSelector", {}), peer) for each in peers)):
                return True
    return False


def grpc_port(template):
    (container,) = template["spec"]["containers"]
    return {port["name"]: port["containerPort"] for port in container["ports"]}.get("grpc")


def test_network_policies_open_what_the_configurations_call_and_nothing_else():
    for variant, found in variants().items():
        policies = of_kind(found, "NetworkPolicy")
        running = {name.split("/")[1]: template for name, template in pods(found).items() if not name.startswith("Job/")}
        for name, template in running.items():
            labels, where = template["metadata"]["labels"], f"{variant}: {name}"
            config = yaml.safe_load(configuration(found, template)[0])
            selected = [p for p in policies if matches(p["spec"]["podSelector"], labels)]
            assert any(p["spec"]["policyTypes"] == ["Ingress", "Egress"] and "ingress" not in p["spec"] for p in selected), where
            called = {config[field]["target"].removeprefix("dns:///").split(":")[0] for field in config if field.endswith("_service")}
            for other, peer in running.items():
                may = opened(policies, "Egress", labels, peer["metadata"]["labels"], grpc_port(peer)) and opened(
                    policies, "Ingress", peer["metadata"]["labels"], labels, "grpc")  # fmt: skip
                assert may == (other in called), f"{where} to {other}"
            assert opened(policies, "Egress", labels, None, 53), where
            assert opened(policies, "Egress", labels, None, 5432) == ("records" in config), where
            serves = "listen" in config
            assert opened(policies, "Ingress", labels, None, "http") == serves, where
            s3 = config.get("objects", {}).get("s3", {}).get("endpoint")
            if s3:
                port = int(re.sub(r"https://[^:]+$", ":443", s3).rpartition(":")[2])
                assert opened(policies, "Egress", labels, None, port), where
            has_providers = variant in ("chart, everything", "chart, without peerTls") and "authentication" in config
            assert opened(policies, "Egress", labels, None, 6443) == has_providers, where
            fetches = "upstreams_file" in config and name != "entrepot-gateway"
            if not s3:
                assert opened(policies, "Egress", labels, None, 443) == fetches, where


def test_what_is_mounted_is_what_the_configurations_name():
    """Every file of a configuration lies in a volume, and every volume is used."""
    for variant, found in variants().items():
        for name, template in pods(found).items():
            (container,) = template["spec"]["containers"]
            mounted = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
            assert sorted(mounted.values()) == sorted([v["name"] for v in template["spec"]["volumes"]] +
                                                      ["data"] * ("StatefulSet" in name)), f"{variant}: {name}"  # fmt: skip
            if name.startswith("Job/"):
                continue
            text = configuration(found, template)[0]
            files = re.findall(r"/etc/entrepot/\S+", text)
            for file in files:
                assert file.rpartition("/")[0] in mounted, f"{variant}: {name}: {file}"
            for path in mounted:
                used = any(file.startswith(path + "/") for file in files) or path in ("/etc/entrepot/config", "/var/lib/entrepot")
                # Files of these are named in the upstreams file and in the policy.
                assert used or path.startswith("/etc/entrepot/upstream/") or path == "/etc/entrepot/identity-keys", f"{variant}: {name}: {path}"


@pytest.fixture(scope="module")
def etc(tmp_path_factory):
    """A directory in place of /etc/entrepot, with what the Secrets have."""
    directory = tmp_path_factory.mktemp("etc")
    authority = Authority(directory / "ca")
    for name in ("tls", "peer-tls"):
        (directory / name).mkdir()
        tls = authority.peer_tls("entrepot-test", ["entrepot-test"])
        for key, file in (("certificate_file", "tls.crt"), ("private_key_file", "tls.key"), ("ca_file", "ca.crt")):
            shutil.copy(tls[key], directory / name / file)
    for name in ("postgres", "s3"):
        (directory / name).mkdir()
        shutil.copy(directory / "peer-tls/ca.crt", directory / name / "ca.crt")
    (directory / "postgres/password").write_text("secret")
    (directory / "s3/credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    (directory / "accounts").mkdir()
    (directory / "accounts/accounts").write_text("admin:$2y$05$" + "a" * 53 + "\n")
    (directory / "upstream/hub").mkdir(parents=True)
    (directory / "upstream/hub/password").write_text("secret")
    (directory / "upstream/hub/password").chmod(0o600)
    return directory


@pytest.mark.parametrize("variant", [*OVERLAYS, *(f"chart, {name}" for name in CHARTS)])
def test_every_program_accepts_its_configuration(variant, etc, tmp_path):
    found = variants()[variant]
    for file in ("policy", "upstreams"):
        maps = [each for each in of_kind(found, "ConfigMap") if each["metadata"]["name"] == f"entrepot-{file}"]
        for each in maps:
            (etc / file).mkdir(exist_ok=True)
            text = each["data"][f"{file}.yaml"].replace("/etc/entrepot/", f"{etc}/")
            (etc / file / f"{file}.yaml").write_text(text)
    for name, template in pods(found).items():
        if name.startswith("Job/"):
            continue
        text, program = configuration(found, template)
        text = text.replace("/etc/entrepot/", f"{etc}/").replace("/var/lib/entrepot", str(tmp_path / name.split("/")[1]))
        text = re.sub(r"^( +port): \d+$", lambda match: f"{match[1]}: {free_port()}", text, flags=re.MULTILINE)
        file, log = tmp_path / "config.yaml", tmp_path / "log"
        file.write_text(text)
        with open(log, "wb") as output:
            process = subprocess.Popen([PROGRAMS / program, f"--config={file}"], stdout=output, stderr=output)
        try:
            # The line comes after all checks of the configuration; what follows needs a database.
            wait_for(lambda: '"message":"starting"' in log.read_text() or process.poll() is not None, seconds=60)
            assert '"message":"starting"' in log.read_text(), f"{variant}: {name}: {log.read_text()}\n{text}"
            warnings = re.findall(r'"message":"configuration","warning":"([a-z._]+)', log.read_text())
            # Of the first: TLS ends at an Ingress. Of the second: such a chart asks for it.
            expected = {"listen.tls": "listen:" in text and "tls:" not in text.partition("operator:")[0],
                        "grpc.tls": variant.endswith("without peerTls"), "listen.names": variant.endswith("smallest"),
                        "listen.allow_unauthenticated": variant.endswith("smallest")}  # fmt: skip
            assert all(expected.get(warning) for warning in warnings), f"{variant}: {name}: {log.read_text()}"
        finally:
            process.kill()
            process.wait()

"""The overlay cluster on a cluster, over PostgreSQL and an S3 server: roll-outs, lost pods and a drained node under a load."""

import contextlib
import json
import re
import secrets

import pytest
import yaml

from cluster.test_lost_processes import Patient
from fixtures.accounts import htpasswd_line
from fixtures.load import Load
from fixtures.metrics import Metrics
from fixtures.polling import wait_for
from fixtures.ports import free_port
from fixtures.process import Process, answers
from k8s.manifests import K8S, objects, run
from k8s.objects import kustomization, secret
from k8s.registry_on_node import RegistryOnNode
from k8s.stores import Stores

pytestmark = [pytest.mark.alone, pytest.mark.timeout(3000)]

ADMIN = ("admin", "the admin's password")
SERVICES = ("gateway", "blob", "manifest", "auth", "upstream")
NAMESPACE = "--namespace=entrepot"
# A test machine has two processors: what the pods ask for is more.
LITTLE_CPU = {"target": {"kind": "Deployment"},
              "patch": "- {op: replace, path: /spec/template/spec/containers/0/resources/requests/cpu, value: 10m}"}  # fmt: skip


@pytest.fixture(scope="module")
def replicas(node):
    """As docs/kubernetes.md describes it."""
    stores = Stores(node)
    try:
        node.kubectl("apply", "--filename", K8S / "overlays/cluster/namespace.yaml")
        data = {"entrepot-accounts": {"accounts": htpasswd_line(*ADMIN)}, **stores.secrets()}
        node.apply([secret(name, "entrepot", **texts) for name, texts in data.items()])
        certificates = run(K8S / "make-certificates", node.directory / "certificates", "registry.example")
        node.apply(certificates, NAMESPACE)
        node.kubectl("apply", "--server-side", "--validate=strict", "--kustomize", K8S / "overlays/cluster/schema-make")
        node.kubectl("wait", NAMESPACE, "--for=condition=complete", "job/entrepot-schema-make", "--timeout=120s", timeout=150)
        directory = kustomization(node.directory / "cluster", "cluster", ["node-port"], patches=[LITTLE_CPU])
        node.kubectl("apply", "--server-side", "--validate=strict", "--kustomize", directory)
        wait_rolled_out(node)
        yield RegistryOnNode(node, "localhost:30500", ADMIN)
    finally:
        stores.close()


def wait_rolled_out(node, *services):
    for service in services or SERVICES:
        node.kubectl("rollout", "status", f"deployment/entrepot-{service}", NAMESPACE, "--timeout=400s", timeout=420)


def pods_of(node, service):
    selector = f"--selector=app.kubernetes.io/instance=entrepot,app.kubernetes.io/component={service}"
    return [each for each in node.get("pods", NAMESPACE, selector)["items"] if "deletionTimestamp" not in each["metadata"]]


@contextlib.contextmanager
def load_on(registry):
    """Clients that push and pull in the block; at its end everything that they have pushed is there."""
    clients = [Patient(registry, secrets.token_hex(4)) for _ in range(3)]
    with Load(clients) as load:
        load.wait_for_progress(requests=10)
        yield load
        load.wait_for_progress(requests=30)
    for client in clients:
        client.check()


def test_a_roll_out_of_every_deployment_fails_no_request_that_a_retry_does_not_mend(node, replicas):
    before = {pod["metadata"]["uid"] for service in SERVICES for pod in pods_of(node, service)}
    with load_on(replicas):
        node.kubectl("rollout", "restart", "deployment", NAMESPACE)
        wait_rolled_out(node)
    after = {pod["metadata"]["uid"] for service in SERVICES for pod in pods_of(node, service)}
    assert len(before) == len(after) == 2 * len(SERVICES) and not before & after


def test_a_killed_manifest_pod_loses_nothing(node, replicas):
    pod = pods_of(node, "manifest")[0]
    (status,) = pod["status"]["containerStatuses"]
    with load_on(replicas):
        container = status["containerID"].removeprefix("containerd://")
        node.sandbox.run("ctr", "--namespace=k8s.io", "task", "kill", "--signal=SIGKILL", container)
        restarts = lambda: node.get("pod", pod["metadata"]["name"], NAMESPACE)["status"]["containerStatuses"][0]
        wait_for(restarts, lambda now: now["restartCount"] > status["restartCount"] and now["ready"], seconds=120, pause=0.5)


def test_a_deleted_blob_pod_loses_nothing(node, replicas):
    with load_on(replicas):
        node.kubectl("delete", "pod", pods_of(node, "blob")[0]["metadata"]["name"], NAMESPACE, "--wait=false")
        wait_rolled_out(node, "blob")


def test_a_drained_node_loses_nothing(node, replicas):
    """The cluster has no other node. So the disruption budgets let one pod of each service go, and keep the other."""
    with load_on(replicas):
        output = node.kubectl("drain", "node", "--delete-emptydir-data", "--force", "--timeout=60s", ok=False)
        assert "disruption budget" in output, output
        serving = {service: [pod for pod in pods_of(node, service) if pod["status"]["phase"] == "Running"] for service in SERVICES}
        assert {service: len(found) for service, found in serving.items()} == dict.fromkeys(SERVICES, 1), output
        node.kubectl("uncordon", "node")
        wait_rolled_out(node)


def metrics_of(node, pod):
    path = f"/api/v1/namespaces/entrepot/pods/{pod['metadata']['name']}:5001/proxy/metrics"
    return Metrics(node.kubectl("get", f"--raw={path}"))


def test_new_gateways_take_their_share(node, replicas):
    node.kubectl("scale", "deployment/entrepot-gateway", NAMESPACE, "--replicas=1")
    wait_for(lambda: len(pods_of(node, "gateway")) == 1, seconds=60)
    with load_on(replicas) as load:
        node.kubectl("scale", "deployment/entrepot-gateway", NAMESPACE, "--replicas=3")

        def shares():
            ready = [pod for pod in pods_of(node, "gateway") if _is_ready(pod)]
            return [metrics_of(node, pod).total("entrepot_http_requests_total", method="GET") for pod in ready]

        wait_for(shares, lambda found: len(found) == 3 and min(found) > 20, seconds=120, pause=1)
        load.wait_for_progress(requests=10)
    node.kubectl("scale", "deployment/entrepot-gateway", NAMESPACE, "--replicas=2")
    wait_rolled_out(node, "gateway")


def _is_ready(pod):
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))


def _label(name):
    return re.sub(r"\W", "_", name)


def discovered(node):
    """-> what Prometheus' service discovery would find: a target for each port of each pod. Debian's Prometheus has none for
    Kubernetes."""
    targets = []
    for pod in node.get("pods", NAMESPACE)["items"]:
        labels = {f"__meta_kubernetes_pod_label_{_label(name)}": value for name, value in pod["metadata"]["labels"].items()}
        labels["__meta_kubernetes_pod_name"] = pod["metadata"]["name"]
        for container in pod["spec"]["containers"]:
            for port in container.get("ports", []):
                labels = {**labels, "__meta_kubernetes_pod_container_port_name": port["name"]}
                targets.append({"targets": [f"{pod['status']['podIP']}:{port['containerPort']}"], "labels": labels})
    return targets


def prometheus_config(node):
    """What Prometheus' operator makes of the PodMonitor."""
    (monitor,) = objects((K8S / "components/monitoring/pod-monitor.yaml").read_text())
    snake = {"sourceLabels": "source_labels", "targetLabel": "target_label"}
    jobs = []
    for endpoint in monitor["spec"]["podMetricsEndpoints"]:
        keep = [(f"__meta_kubernetes_pod_label_{_label(name)}", value) for name, value in monitor["spec"]["selector"]["matchLabels"].items()]
        keep.append(("__meta_kubernetes_pod_container_port_name", endpoint["port"]))
        jobs.append({
            "job_name": "pods", "metrics_path": endpoint["path"], "scrape_interval": "1s",
            "static_configs": discovered(node),
            "relabel_configs": [{"source_labels": [label], "regex": value, "action": "keep"} for label, value in keep]
            + [{snake.get(field, field): value for field, value in rule.items()} for rule in endpoint["relabelings"]],
        })  # fmt: skip
    return {"scrape_configs": jobs}


def test_prometheus_scrapes_every_process(node, replicas, tmp_path):
    config = tmp_path / "prometheus.yaml"
    config.write_text(yaml.safe_dump(prometheus_config(node)))
    url = f"http://127.0.0.1:{free_port()}"
    argv = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address={url[7:]}"]
    process = Process("prometheus", node.sandbox.command(*argv), answers(f"{url}/-/ready"), tmp_path / "log")
    expected = sorted((f"entrepot/{service}", pod["metadata"]["name"]) for service in SERVICES for pod in pods_of(node, service))

    def up():
        found = json.loads(node.sandbox.run("curl", "--silent", f"{url}/api/v1/query?query=up"))["data"]["result"]
        return sorted((each["metric"]["job"], each["metric"]["instance"]) for each in found if each["value"][1] == "1")

    with node.sandbox.network():
        process.launch()
        process.wait_ready()
    wait_for(up, lambda found: found == expected, seconds=60, pause=1)


@pytest.mark.parametrize("command", ["make", "upgrade"])
def test_the_jobs_of_the_schema_may_be_repeated(node, replicas, command):
    """As an installation over a database that is in use, such as one that was restored, does it."""
    node.kubectl("replace", "--force", "--kustomize", K8S / f"overlays/cluster/schema-{command}")
    node.kubectl("wait", NAMESPACE, "--for=condition=complete", f"job/entrepot-schema-{command}", "--timeout=120s", timeout=150)

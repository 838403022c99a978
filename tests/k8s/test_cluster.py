"""The manifests on a cluster: a registry of one pod, pods whose images the kubelet pulls from it, the chart installed from it, and
a mirror for the nodes."""

import json
import shutil

import pytest

from fixtures.accounts import claims_of, htpasswd_line
from fixtures.polling import wait_for
from fixtures.process import Process, answers
from fixtures.registry import PROGRAMS
from fixtures.tools import go_tool
from k8s.images import make_image
from k8s.manifests import K8S
from k8s.objects import kustomization, pod, secret
from k8s.registry_on_node import RegistryOnNode, forwarded
from k8s.sandbox import ADDRESS

# It starts a cluster, whose programs and pods take both processors.
pytestmark = [pytest.mark.alone, pytest.mark.timeout(1500)]

ADMIN, WEB = ("admin", "the admin's password"), ("web", "the password of web")
# As in docs/kubernetes.md.
POLICY = """\
administrators: [admin]
rules:
  - name: the web team's nodes
    subjects: [web]
    repositories: [team/app]
    actions: [pull]
"""
NODE_PORT = "localhost:30500"


def accounts_secret(node, namespace):
    node.make_namespace(namespace)
    node.apply([secret("entrepot-accounts", namespace, accounts="".join(htpasswd_line(*each) for each in (ADMIN, WEB)))])


def wait_started(node, namespace, name="entrepot"):
    node.kubectl("rollout", "status", f"statefulset/{name}", f"--namespace={namespace}", "--timeout=120s", timeout=150)


def push_image(node, layout, reference, account=ADMIN):
    credentials = ["--dest-creds", ":".join(account)] if account else []
    node.sandbox.run("skopeo", "copy", "--preserve-digests", "--dest-tls-verify=false", *credentials, f"oci:{layout.directory}:image", f"docker://{reference}")


def make_pull_secret(node, name, account, host=NODE_PORT):
    node.kubectl("create", "secret", "docker-registry", name, "--namespace=web", f"--docker-server={host}",
                 f"--docker-username={account[0]}", f"--docker-password={account[1]}")  # fmt: skip


def wait_pod(node, name, namespace="web"):
    node.kubectl("wait", f"pod/{name}", f"--namespace={namespace}", "--for=condition=Ready", "--timeout=90s", timeout=120)


def failure_of(node, name):
    """-> what the events of a pod have about a pull that fails."""
    find = ["events", "--namespace=web", f"--field-selector=involvedObject.name={name},reason=Failed"]
    messages = lambda: [each["message"] for each in node.get(*find)["items"] if "pull" in each["message"]]
    return wait_for(messages, seconds=60, pause=0.5)[0]


@pytest.fixture(scope="module")
def single(node, app):
    """The overlay single as it is; the image app in it as team/app:1 and team/other:1."""
    accounts_secret(node, "entrepot")
    node.kubectl("apply", "--server-side", "--validate=strict", "--kustomize", K8S / "overlays/single")
    wait_started(node, "entrepot")
    with forwarded(node):
        for name in ("app", "other"):
            push_image(node, app, f"localhost:5000/team/{name}:1")
    return RegistryOnNode(node, NODE_PORT, ADMIN)


@pytest.fixture(scope="module")
def for_pods(node, single):
    """The same, so that pods pull from it: a port of the node, and the policy of docs/kubernetes.md."""
    directory = kustomization(node.directory / "single", "single", ["node-port"], {"entrepot-policy": {"policy.yaml": POLICY}})
    before = node.get("pod", "entrepot-0", "--namespace=entrepot")["metadata"]["uid"]
    node.kubectl("apply", "--server-side", "--validate=strict", "--kustomize", directory)
    # The kubelet brings a changed ConfigMap into a pod within two minutes; at once, if the pod changes too.
    node.kubectl("annotate", "pod", "entrepot-0", "--namespace=entrepot", "test=changed")

    def is_applied():
        try:
            answer = single.token("repository:team/other:pull", account=WEB)
        except OSError:
            return False
        assert answer.status == 200, answer
        return not any(each["actions"] for each in claims_of(answer.json()["token"]).get("access", []))

    wait_for(is_applied, seconds=150, pause=0.5)
    # A policy is read again without a restart.
    assert node.get("pod", "entrepot-0", "--namespace=entrepot")["metadata"]["uid"] == before
    node.make_namespace("web")
    return single


def test_a_pod_pulls_what_its_account_may_pull(node, for_pods):
    make_pull_secret(node, "registry", WEB)
    node.kubectl("patch", "serviceaccount", "default", "--namespace=web", "--patch", '{"imagePullSecrets": [{"name": "registry"}]}')
    node.apply([pod("app", "web", f"{NODE_PORT}/team/app:1"), pod("other", "web", f"{NODE_PORT}/team/other:1")])
    wait_pod(node, "app")
    refused = failure_of(node, "other")
    assert f"{NODE_PORT}/team/other:1" in refused and ("insufficient_scope" in refused or "403" in refused or "denied" in refused), refused


def test_the_event_of_a_wrong_secret_has_the_reason(node, for_pods):
    make_pull_secret(node, "wrong", ("web", "another password"))
    node.apply([pod("wrong", "web", f"{NODE_PORT}/team/app:1", "wrong")])
    refused = failure_of(node, "wrong")
    assert "401 Unauthorized" in refused, refused


def test_the_pod_is_replaced_and_has_its_content(node, for_pods, app):
    digest = app.tagged("image")["digest"]
    node.kubectl("delete", "pod", "entrepot-0", "--namespace=entrepot", timeout=200)
    wait_started(node, "entrepot")
    answer = wait_for(lambda: _manifest(for_pods, "team/app", digest), seconds=30)
    assert answer.status == 200, answer


def _manifest(registry, repository, reference):
    try:
        return registry.request("GET", f"/v2/{repository}/manifests/{reference}")
    except OSError:
        return None


def test_the_chart_is_installed_from_the_registry(node, for_pods, tmp_path):
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "KUBECONFIG": str(node.kubeconfig)}

    def helm(*argv, **options):
        return node.sandbox.run(go_tool("helm"), *argv, env=environment, **options)

    helm("package", K8S / "chart", "--destination", tmp_path)
    helm("registry", "login", NODE_PORT, "--plain-http", "--username", ADMIN[0], "--password-stdin", input=ADMIN[1])
    helm("push", tmp_path / "entrepot-0.1.0.tgz", f"oci://{NODE_PORT}/charts", "--plain-http")
    accounts_secret(node, "second")
    node.kubectl("label", "namespace", "second", "pod-security.kubernetes.io/enforce=restricted")
    settings = ["--set=image.repository=registry.example/entrepot", "--set=accounts.secret=entrepot-accounts"]
    chart = [f"oci://{NODE_PORT}/charts/entrepot", "--version=0.1.0", "--plain-http", "--namespace=second"]
    notes = helm("install", "second", *chart, *settings, "--wait", "--timeout=120s")
    assert "kubectl -n second port-forward service/second-entrepot" in notes
    helm("upgrade", "second", *chart, *settings, "--set=single.drainTimeoutSeconds=5", "--wait", "--timeout=120s")
    assert node.get("pod", "second-entrepot-0", "--namespace=second")["spec"]["terminationGracePeriodSeconds"] == 20
    helm("rollback", "second", "1", "--namespace=second", "--wait", "--timeout=120s")
    helm("uninstall", "second", "--namespace=second", "--wait")
    # The images stay.
    assert node.get("persistentvolumeclaims", "--namespace=second")["items"]


@pytest.fixture
def hub(node):
    """A registry in place of Docker Hub."""
    directory = node.directory / "hub"
    directory.mkdir()
    config = {"listen": {"address": ADDRESS, "port": 5010, "allow_unauthenticated": True}, "data_directory": str(directory / "data"),
              "operator": {"address": "127.0.0.1", "port": 5011}}  # fmt: skip
    (directory / "hub.yaml").write_text(json.dumps(config))
    process = Process("hub", [PROGRAMS / "entrepot", f"--config={directory / 'hub.yaml'}"], answers("http://127.0.0.1:5011/readyz"),
                      directory / "hub.log")  # fmt: skip
    with node.sandbox.network():
        process.launch()
    try:
        with node.sandbox.network():
            process.wait_ready()
        yield process
    finally:
        process.kill9()


def test_nodes_pull_through_the_mirror_by_names_of_the_registry_itself(node, hub, tmp_path):
    # The node has nothing of it yet.
    layout = make_image(tmp_path / "tool", content_bytes=1 << 20)
    push_image(node, layout, f"{ADDRESS}:5010/team/tool:1", account=None)
    accounts_secret(node, "entrepot-mirror")
    upstreams = f"upstreams:\n  - {{name: docker.io, url: 'http://{ADDRESS}:5010'}}\n"
    directory = kustomization(node.directory / "mirror", "mirror", config_maps={"entrepot-upstreams": {"upstreams.yaml": upstreams}})
    node.kubectl("apply", "--server-side", "--validate=strict", "--kustomize", directory)
    wait_started(node, "entrepot-mirror")
    (node.hosts_toml / "_default").mkdir()
    shutil.copy(K8S / "overlays/mirror/hosts.toml", node.hosts_toml / "_default")
    node.make_namespace("team")
    image = "docker.io/team/tool:1"
    node.apply([pod("first", "team", image)])
    wait_pod(node, "first", "team")
    (status,) = node.get("pod", "first", "--namespace=team")["status"]["containerStatuses"]
    assert status["image"] == image and status["imageID"] == f"docker.io/team/tool@{layout.tagged('image')['digest']}"
    # What the node and the registry itself had is gone; the mirror has it.
    hub.kill9()
    node.kubectl("delete", "pod", "first", "--namespace=team")
    node.sandbox.run("ctr", "--namespace=k8s.io", "images", "rm", "--sync", image)
    node.apply([pod("second", "team", image)])
    wait_pod(node, "second", "team")

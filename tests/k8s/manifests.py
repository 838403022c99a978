"""The manifests of k8s/, as Helm and kustomize make them."""

import functools
import subprocess

import yaml

from fixtures.registry import ROOT
from fixtures.tools import go_tool

K8S = ROOT / "k8s"
OVERLAYS = ("single", "cluster", "cluster-operator", "mirror")
# Of a cluster; the chart does not accept older ones.
KUBERNETES = "1.34.0"


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(text):
    return [each for each in yaml.safe_load_all(text) if each]


@functools.lru_cache(maxsize=None)
def overlay(name):
    """The objects of a kustomization below k8s/overlays."""
    return objects(run(go_tool("kustomize"), "build", K8S / "overlays" / name))


def chart(values="", *arguments):
    """The objects of the chart. `values`: YAML."""
    return objects(run(go_tool("helm"), "template", "entrepot", K8S / "chart", f"--kube-version={KUBERNETES}", "--values=-",
                       *arguments, input=values))  # fmt: skip


def of_kind(found, *kinds):
    return [each for each in found if each["kind"] in kinds]


def named(found, kind, name):
    (one,) = [each for each in of_kind(found, kind) if each["metadata"]["name"] == name]
    return one


def pods(found):
    """-> {"Kind/name": the pod template's metadata and spec}"""
    return {f"{each['kind']}/{each['metadata']['name']}": each["spec"]["template"]
            for each in of_kind(found, "Deployment", "StatefulSet", "Job")}  # fmt: skip


def configuration(found, template):
    """The configuration of a pod, or None: (its text, the program that reads it)."""
    (container,) = template["spec"]["containers"]
    program = container["args"][0]
    for volume in template["spec"]["volumes"]:
        if volume["name"] == "config":
            (text,) = named(found, "ConfigMap", volume["configMap"]["name"])["data"].values()
            return text, program
    return None


EVERYTHING = """
mode: cluster
accounts: {secret: entrepot-accounts, identityKeys: entrepot-identity-keys}
networkPolicy: {identityProviderPorts: [6443]}
tls: {secret: entrepot-tls}
postgres: {servers: ["db:5432"], passwordSecret: entrepot-postgres, caSecret: entrepot-postgres-ca}
s3: {endpoint: "https://s3.example", bucket: registry, credentialsSecret: entrepot-s3, caSecret: entrepot-s3-ca}
upstreams: {upstreams: [{name: docker.io, credentials: {username: u, password_file: /etc/entrepot/upstream/hub/password}}]}
upstreamSecrets: [hub]
autoscaling: {enabled: true, requestsInFlight: 200}
certManager: {enabled: true, issuer: {name: letsencrypt}}
ingress: {enabled: true}
trustedProxies: [10.244.0.0/16]
httpRoute: {enabled: true}
monitoring: {podMonitor: true, rules: true, dashboards: true}
"""
SMALLEST = "open: true\n"
# {name: values} of installations by Helm.
CHARTS = {"everything": EVERYTHING, "smallest": SMALLEST, "without peerTls": EVERYTHING + "peerTls: false\n"}


@functools.lru_cache(maxsize=None)
def variants():
    """-> {name: its objects}, of all overlays and some installations by Helm"""
    return {name: overlay(name) for name in OVERLAYS} | {f"chart, {name}": chart(values) for name, values in CHARTS.items()}

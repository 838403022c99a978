"""A cluster of Kubernetes with one node, whose programs are the real ones: etcd, containerd, runc and the plugins of CNI from Debian,
Kubernetes and CoreDNS from Go modules (third_party/go). It runs in a Sandbox, so its ports and addresses are fixed."""

import json
import secrets
import subprocess

import yaml

from fixtures.certificates import Authority
from fixtures.polling import wait_for
from fixtures.process import Process, answers
from fixtures.tools import go_tool
from k8s.cgroups import make_group, remove_group
from k8s.images import import_image, make_image
from k8s.sandbox import ADDRESS, Sandbox

VERSION = "v1.34.3"
NAME = "node"
API_SERVER = "https://127.0.0.1:6443"
SERVICES = "10.96.0.0/16"
PODS = "10.244.0.0/24"
DOMAIN = "cluster.local"
PAUSE = "entrepot.test/pause:1"
CONTAINERD = "/run/containerd/containerd.sock"
# How many volumes of pods there may be.
VOLUMES = 6


def kubernetes(program):
    return go_tool("kubernetes", program)


class Node:
    """`directory`: of the node alone. `hosts_toml`: the directory of containerd's hosts.toml files, empty at first.

    kubectl(...) runs kubectl as the cluster's administrator, sandbox.run(...) another program on the node. Names in
    `add_host` are known to the node and to its pods.
    """

    def __init__(self, directory):
        # First, because it takes minutes if they are not built yet.
        for program in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl"):
            kubernetes(program)
        go_tool("coredns")
        self.directory = directory
        self.hosts_toml = directory / "certs.d"
        self.volumes = directory / "volumes"
        for made in (self.hosts_toml, self.volumes, directory / "logs"):
            made.mkdir(parents=True)
        self.kubeconfig = directory / "kubeconfig"
        self._token = secrets.token_hex(16)
        self._processes = []
        self._group = make_group()
        self.sandbox = None
        try:
            self.sandbox = Sandbox(directory)
            with self.sandbox.network():
                self._start()
        except BaseException:
            self.stop()
            raise

    # What tests call.

    def kubectl(self, *argv, **options):
        return self.sandbox.run(*self.kubectl_command(*argv), **options)

    def kubectl_command(self, *argv):
        """-> the words, for a program in the sandbox's network."""
        return [kubernetes("kubectl"), f"--kubeconfig={self.kubeconfig}", *argv]

    def get(self, *argv):
        """-> what `kubectl get ARGV` finds, as JSON."""
        return json.loads(self.kubectl("get", "--output=json", *argv))

    def apply(self, text, *argv):
        """Applies objects, given as YAML or as a list of dictionaries, as strictly as the API server can."""
        text = text if isinstance(text, str) else yaml.safe_dump_all(text)
        return self.kubectl("apply", "--server-side", "--validate=strict", "--filename=-", *argv, input=text)

    def make_namespace(self, name):
        self.kubectl("create", "namespace", name)
        # Without it no pod can be made.
        self.kubectl("wait", "--for=create", "serviceaccount/default", f"--namespace={name}", "--timeout=30s")

    def add_host(self, *names):
        """The node, and its pods, find these names at the node's address."""
        with open(self.sandbox.hosts, "a") as hosts:
            hosts.write(f"{ADDRESS} {' '.join(names)}\n")

    def import_image(self, layout, name):
        import_image(self.sandbox.run, layout, name)

    def describe(self):
        """-> what a person would look at first, for the report of a failure."""
        found = [self._describe("get", "pods", "--all-namespaces", "--output=wide"),
                 self._describe("get", "events", "--all-namespaces", "--sort-by=.lastTimestamp")]  # fmt: skip
        logs = [f"{each.name}:\n{each.log_tail(15)}" for each in self._processes]
        return "\n".join([*found, *logs])

    def _describe(self, *argv):
        try:
            return self.kubectl(*argv, timeout=20)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            return str(error)

    def stop(self):
        """Ends everything, whatever state it is in."""
        if self.sandbox is not None:
            self.sandbox.close()
            for process in self._processes:
                process.kill9()
        remove_group(self._group)

    # The start.

    def _launch(self, name, ready, *argv):
        log = self.directory / "logs" / f"{name}.log"
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "KUBECONFIG": "", "HOME": str(self.directory)}
        process = Process(name, self.sandbox.command(*argv), ready, log, environment)
        process.launch()
        self._processes.append(process)
        return process

    def _start(self):
        authority = Authority(self.directory / "ca", "cluster")
        names = ["DNS:kubernetes", "DNS:kubernetes.default", "DNS:kubernetes.default.svc", "DNS:localhost", "IP:127.0.0.1",
                 f"IP:{ADDRESS}", "IP:10.96.0.1"]  # fmt: skip
        certificate = authority.issue("apiserver", *names)
        self._write_kubeconfig(authority.certificate)
        containerd = self._launch("containerd", self._containerd_answers, "containerd", "--config", self._containerd_config())
        self._launch("etcd", answers("http://127.0.0.1:2379/health"), "etcd", f"--data-dir={self.directory / 'etcd'}").wait_ready()
        self._launch_api_server(authority.certificate, *certificate).wait_ready(120)
        self._launch("kube-controller-manager", bool, kubernetes("kube-controller-manager"), f"--kubeconfig={self.kubeconfig}",
                     "--leader-elect=false", f"--root-ca-file={authority.certificate}", "--bind-address=127.0.0.1",
                     f"--service-account-private-key-file={self.directory / 'service-account.key'}")  # fmt: skip
        self._launch("kube-scheduler", bool, kubernetes("kube-scheduler"), f"--kubeconfig={self.kubeconfig}", "--leader-elect=false",
                     "--bind-address=127.0.0.1")  # fmt: skip
        containerd.wait_ready(60)
        self.import_image(make_image(self.directory / "pause").directory, PAUSE)
        self._launch("kubelet", answers("http://127.0.0.1:10248/healthz"), kubernetes("kubelet"), f"--config={self._kubelet_config()}",
                     f"--kubeconfig={self.kubeconfig}", f"--hostname-override={NAME}", f"--node-ip={ADDRESS}")  # fmt: skip
        self._launch("kube-proxy", answers("http://127.0.0.1:10256/livez"), kubernetes("kube-proxy"),
                     f"--config={self._proxy_config()}")  # fmt: skip
        self._launch("coredns", answers("http://127.0.0.1:8181/ready"), go_tool("coredns"), f"-conf={self._coredns_config()}")
        for process in self._processes:
            if process.name in ("kubelet", "kube-proxy", "coredns"):
                process.wait_ready(60)
        self._wait_schedulable()
        self.apply([_storage_class(), *(self._volume(number) for number in range(VOLUMES))])

    def _wait_schedulable(self):
        def is_ready():
            assert all(process.alive() for process in self._processes), self.describe()
            try:
                node = self.get("node", NAME)
            except AssertionError:
                return False
            ready = [each["status"] for each in node["status"].get("conditions", []) if each["type"] == "Ready"]
            return ready == ["True"] and not node["spec"].get("taints")

        try:
            wait_for(is_ready, seconds=90, pause=0.3)
        except AssertionError:
            raise AssertionError(f"the node does not become ready:\n{self.describe()}") from None

    def _write(self, name, text):
        path = self.directory / name
        path.write_text(text if isinstance(text, str) else yaml.safe_dump(text))
        return path

    def _write_kubeconfig(self, authority):
        cluster = {"server": API_SERVER, "certificate-authority": str(authority)}
        self._write("kubeconfig", {
            "apiVersion": "v1", "kind": "Config", "current-context": "admin",
            "clusters": [{"name": "cluster", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self._token}}],
            "contexts": [{"name": "admin", "context": {"cluster": "cluster", "user": "admin"}}],
        })  # fmt: skip

    def _launch_api_server(self, authority, certificate, key):
        signing = self.directory / "service-account.key"
        subprocess.run(["openssl", "genrsa", "-out", signing, "2048"], check=True, capture_output=True)
        tokens = self._write("tokens.csv", f'{self._token},admin,admin,"system:masters"\n')
        return self._launch(
            "kube-apiserver", self._api_server_is_ready, kubernetes("kube-apiserver"), "--etcd-servers=http://127.0.0.1:2379",
            f"--advertise-address={ADDRESS}", f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}",
            f"--client-ca-file={authority}", f"--token-auth-file={tokens}", "--authorization-mode=Node,RBAC",
            f"--service-cluster-ip-range={SERVICES}", f"--service-account-issuer=https://kubernetes.default.svc.{DOMAIN}",
            f"--service-account-key-file={signing}", f"--service-account-signing-key-file={signing}",
            # It asks the kubelet for logs and forwarded ports.
            "--kubelet-preferred-address-types=InternalIP",
        )  # fmt: skip

    def _api_server_is_ready(self):
        try:
            return self.kubectl("get", "--raw=/readyz") == "ok"
        except AssertionError:
            return False

    def _containerd_answers(self):
        try:
            self.sandbox.run("ctr", "version", timeout=10)
            return True
        except AssertionError:
            return False

    def _containerd_config(self):
        plugins = {"cniVersion": "0.4.0", "name": "pods", "plugins": [
            {"type": "bridge", "bridge": "cni0", "isDefaultGateway": True, "ipMasq": True, "hairpinMode": True,
             "ipam": {"type": "host-local", "ranges": [[{"subnet": PODS}]]}},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ]}  # fmt: skip
        (self.directory / "cni").mkdir()
        self._write("cni/pods.conflist", json.dumps(plugins))
        return self._write("containerd.toml", f"""\
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  # Else no sandbox starts where this process may not lower the score.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{self.directory}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{self.hosts_toml}"
""")  # fmt: skip

    def _kubelet_config(self):
        resolver = self._write("resolv.conf", f"nameserver {ADDRESS}\n")
        return self._write("kubelet.yaml", {
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
            "cgroupDriver": "cgroupfs", "cgroupRoot": self._group, "failCgroupV1": False, "enforceNodeAllocatable": [],
            "failSwapOn": False,
            # Only the sandbox reaches it.
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "clusterDNS": [ADDRESS], "clusterDomain": DOMAIN, "resolvConf": str(resolver),
            # A test machine may have little room.
            "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100,
        })  # fmt: skip

    def _proxy_config(self):
        return self._write("kube-proxy.yaml", {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": "iptables",
            "clientConnection": {"kubeconfig": str(self.kubeconfig)}, "hostnameOverride": NAME, "bindAddress": ADDRESS,
            "healthzBindAddress": "127.0.0.1:10256", "clusterCIDR": PODS,
            # These are settings of the whole machine.
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        })  # fmt: skip

    def _coredns_config(self):
        # As kubeadm configures it, and the names of add_host().
        return self._write("Corefile", f"""\
.:53 {{
  bind {ADDRESS}
  errors
  ready 127.0.0.1:8181
  hosts {self.sandbox.hosts} {{
    fallthrough
  }}
  kubernetes {DOMAIN} in-addr.arpa {{
    kubeconfig {self.kubeconfig}
    pods insecure
    ttl 30
  }}
  cache 30 {{
    disable success {DOMAIN}
    disable denial {DOMAIN}
  }}
}}
""")  # fmt: skip

    def _volume(self, number):
        """A volume of local files. Of all kinds that need no driver only this one gives its files to the pod's group."""
        path = self.volumes / str(number)
        path.mkdir()
        terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}]}]
        return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"volume-{number}"}, "spec": {
            "capacity": {"storage": "50Gi"}, "accessModes": ["ReadWriteOncePod"], "storageClassName": "local",
            "persistentVolumeReclaimPolicy": "Retain", "local": {"path": str(path)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
        }}  # fmt: skip


def _storage_class():
    return {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "kubernetes.io/no-provisioner",
            "metadata": {"name": "local", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "volumeBindingMode": "WaitForFirstConsumer"}  # fmt: skip

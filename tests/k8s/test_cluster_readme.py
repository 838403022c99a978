"""The commands of the README's section on Kubernetes, as a reader types them."""

import pytest

from fixtures.guide import Guide
from fixtures.certificates import Authority
from fixtures.process import Process, answers
from fixtures.registry import PROGRAMS, ROOT
from fixtures.tools import go_tool
from k8s.node import kubernetes
from k8s.registry_on_node import forwarded
from k8s.sandbox import ADDRESS
from k8s.terminal import run_in_terminal

pytestmark = [pytest.mark.alone, pytest.mark.timeout(1500)]

PASSWORD = "a password that is typed"
REGISTRY = "registry.example"


@pytest.fixture
def reachable(asked_for, empty_node):
    """A registry that the nodes reach, with a certificate that they trust."""
    node = empty_node
    node.add_host(REGISTRY)
    authority = Authority(node.directory / "registry-ca")
    certificate, key = authority.issue("registry", f"DNS:{REGISTRY}")
    with open(node.sandbox.authorities, "a") as trusted:
        trusted.write(authority.certificate.read_text())
    config = node.directory / "registry.yaml"
    config.write_text(f"listen: {{address: {ADDRESS}, port: 443, allow_unauthenticated: true,\n"
                      f"  tls: {{certificate_file: '{certificate}', private_key_file: '{key}'}}}}\n"
                      f"operator: {{address: 127.0.0.1, port: 5011}}\ndata_directory: {node.directory / 'registry'}\n")  # fmt: skip
    process = Process("registry", node.sandbox.command(PROGRAMS / "entrepot", f"--config={config}"),
                      answers("http://127.0.0.1:5011/readyz"), node.directory / "registry.log")  # fmt: skip
    with node.sandbox.network():
        process.launch()
        process.wait_ready()
    return node


def test_the_readme_leads_to_a_registry(reachable, tmp_path):
    node = reachable
    script = Guide("README.md").settings("Run it in Kubernetes")
    # The checkout, but for the file of accounts, which the commands write here.
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/image").write_text(f'#!/bin/bash\nexec {ROOT}/scripts/image "$@"\n')
    (tmp_path / "scripts/image").chmod(0o755)
    for name in (".build", "k8s"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "bin").mkdir()
    for name, program in (("kubectl", kubernetes("kubectl")), ("helm", go_tool("helm"))):
        (tmp_path / "bin" / name).symlink_to(program)
    (tmp_path / "typed").write_text(f"set -ex\ncd {tmp_path}\n{script}")
    command = node.sandbox.command(
        "env", f"PATH={tmp_path / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin", f"KUBECONFIG={node.kubeconfig}", f"HOME={tmp_path}",
        "setsid", "--ctty", "--wait", "bash", tmp_path / "typed")  # fmt: skip
    code, shown = run_in_terminal(command, PASSWORD)
    assert code == 0, shown
    node.kubectl("--namespace=entrepot", "rollout", "status", "statefulset/entrepot", "--timeout=120s", timeout=150)
    with forwarded(node):
        node.sandbox.run("skopeo", "copy", "--dest-tls-verify=false", f"--dest-creds=admin:{PASSWORD}",
                         f"oci:{ROOT}/.build/image:entrepot", "docker://localhost:5000/team/app:1")  # fmt: skip

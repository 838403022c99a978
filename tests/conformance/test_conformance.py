"""The official OCI conformance program runs all its checks, without a failure or a skip."""

import os
import pathlib
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

from fixtures.accounts import PASSWORDS
from fixtures.tools import go_tool

# The number of checks in each version, so that an incomplete run cannot pass. Version 1.1 checks the cancellation of an
# upload only if OCI_API_BLOBS_UPLOAD_CANCEL is set.
CHECKS = {"1.1": 695, "dev": 793}
# With OCI_DATA_SPARSE the program also pushes an image without one of its layers and an index without one of its images.
SPARSE_CHECKS = {version: checks + 37 for version, checks in CHECKS.items()}
SPARSE_POLICY = 'incomplete_manifests: [{repositories: ["conformance/*"], allow: [absent_children, absent_layers]}]'


@pytest.mark.parametrize("version", CHECKS)
def test_all_checks_pass(own_registry, version, tmp_path):
    check_conformance(own_registry, version, tmp_path, {"OCI_TLS": "disabled"}, "open")


@pytest.mark.parametrize("version", CHECKS)
def test_all_checks_pass_with_accounts_and_tls(make_secured_registry, version, tmp_path):
    registry = make_secured_registry()
    environment = {
        "OCI_TLS": "enabled",
        "SSL_CERT_FILE": str(registry.ca),
        "OCI_USERNAME": "admin",
        "OCI_PASSWORD": PASSWORDS["admin"],
    }
    check_conformance(registry, version, tmp_path, environment, "secured")


@pytest.mark.parametrize("version", SPARSE_CHECKS)
def test_all_checks_pass_with_sparse_manifests(make_registry, version, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(SPARSE_POLICY)
    registry = make_registry(config={"policy_file": str(policy)})
    environment = {"OCI_TLS": "disabled", "OCI_DATA_SPARSE": "true"}
    check_conformance(registry, version, tmp_path, environment, "sparse", SPARSE_CHECKS)
    assert "no violations" in registry.check_stopped()


def check_conformance(registry, version, tmp_path, environment, name, checks=CHECKS):
    results = tmp_path / "results"
    run = subprocess.run(
        [go_tool("conformance")],
        env={
            "PATH": os.environ["PATH"],
            "OCI_REGISTRY": registry.address,
            **environment,
            "OCI_VERSION": version,
            "OCI_API_BLOBS_UPLOAD_CANCEL": "true",
            "OCI_REPO1": "conformance/one",
            "OCI_REPO2": "conformance/two",
            "OCI_RESULTS_DIR": str(results),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    junit = results / "junit.xml"
    assert junit.exists(), run.stdout + run.stderr
    cases = list(xml.etree.ElementTree.parse(junit).iter("testcase"))
    keep_results(junit, f"conformance-{version}-{name}-{registry.mode}.xml")

    bad = [f"{case.get('status')}: {describe(case)}" for case in cases if case.get("status") != "passed"]
    assert not bad, f"{len(bad)} of {len(cases)} checks:\n" + "\n".join(bad)
    assert len(cases) >= checks[version], f"only {len(cases)} checks ran"
    assert run.returncode == 0, run.stdout + run.stderr


def describe(case):
    messages = [part.get("message") or "" for tag in ("failure", "error", "skipped") for part in case.iter(tag)]
    outputs = [case.findtext(tag) or "" for tag in ("system-out", "system-err")]
    return " ".join([case.get("name", "")] + messages + outputs)[:800]


def keep_results(junit, name):
    """Keeps the results for scripts/test, which adds each check to its sum."""
    if "ENTREPOT_RESULTS" in os.environ:
        shutil.copy(junit, pathlib.Path(os.environ["ENTREPOT_RESULTS"]) / name)

"""Fixtures for tests on a cluster:

    empty_node a Node (k8s/node.py)
    node       the same with the image of scripts/image as registry.example/entrepot:0.1.0, which the overlays name
    app        a Layout with a small image for pods
"""

import shutil
import subprocess
import sys

import pytest

from fixtures.registry import PROGRAMS, ROOT
from fixtures.scratch import scratch
from k8s.images import make_image
from k8s.node import Node

IMAGE = "registry.example/entrepot:0.1.0"
_running = []


@pytest.fixture(scope="session")
def asked_for(request):
    if not request.config.getoption("--cluster-long"):
        pytest.skip("a node of Kubernetes takes ten minutes to build, once, and its tests take more: --cluster-long runs them")


@pytest.fixture(scope="module")
def empty_node(asked_for, tmp_path_factory):
    with scratch(tmp_path_factory, "node") as directory:
        made = Node(directory)
        _running.append(made)
        try:
            yield made
        finally:
            _running.remove(made)
            made.stop()


@pytest.fixture(scope="module")
def node(empty_node):
    empty_node.import_image(_registry_image(empty_node.directory / "entrepot"), IMAGE)
    return empty_node


def _registry_image(directory):
    subprocess.run([sys.executable, ROOT / "scripts/image.py", "--programs", PROGRAMS, "--output", directory, "--version", "0.1.0",
                    "--revision", "abc", "--created", "1700000000"], check=True)  # fmt: skip
    return directory


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    directory = tmp_path_factory.mktemp("app") / "layout"
    yield make_image(directory, content_bytes=3 << 20)
    shutil.rmtree(directory)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for each in _running:
            report.sections.append(("the cluster", each.describe()))

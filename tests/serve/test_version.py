"""The version of the commit in all programs that are delivered, and in what they show of it."""

import subprocess

import pytest

from fixtures.registry import PROGRAMS, ROOT


def run(*argv):
    """What it prints; a file that was edited since the programs were built is not a difference."""
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip().removesuffix("-dirty")


@pytest.fixture(name="version", scope="module")
def fixture_version():
    return run(ROOT / "scripts" / "version")


PROGRAM_NAMES = ["entrepot", "entrepot-gateway", "entrepot-blob", "entrepot-manifest", "entrepot-auth", "entrepot-upstream", "entrepotctl"]


@pytest.mark.parametrize("program", PROGRAM_NAMES)
def test_programs_print_the_version_of_the_commit(program, version):
    assert run(PROGRAMS / program, "--version") == f"{program} {version}"


def test_metrics_have_the_version_of_the_commit(registry, version):
    for name in registry.processes:
        (labels,) = [labels for metric, labels, _ in registry.metrics(name).samples if metric == "entrepot_build_info"]
        assert labels["version"].removesuffix("-dirty") == version


def test_an_unpacked_archive_has_a_version_too(tmp_path):
    """Also inside of another project's checkout."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    script = tmp_path / "archive" / "scripts" / "version"
    script.parent.mkdir(parents=True)
    script.write_bytes((ROOT / "scripts" / "version").read_bytes())
    assert run("bash", script).endswith("-dev")

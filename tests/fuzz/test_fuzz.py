"""A short run of every fuzz target: its seeds, and what libFuzzer makes of them in a few seconds."""

import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGETS = sorted(path.name for path in (ROOT / "tests/fuzz/corpus").iterdir())


@pytest.mark.timeout(1800)
def test_every_target_survives_a_short_run():
    # Else what it says of that, on a machine that has no Clang yet, would be among the targets.
    subprocess.run([ROOT / "scripts/install", "build", "fuzz"], check=True)
    run = subprocess.run(
        [ROOT / "scripts/fuzz", "--seconds", "3"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert run.returncode == 0, run.stdout
    assert sorted(line.split(":")[0] for line in run.stdout.splitlines()) == TARGETS

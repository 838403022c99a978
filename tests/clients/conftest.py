"""Fixtures for real clients:

    images     the images to push (clients/images.py)
    run        run(argv...) -> stdout. A failure shows the output. With ok=False the command must fail -> its output.
    tool_env   the environment of `run`, with an empty home directory
"""

import os
import pathlib
import subprocess

import pytest

from clients.images import Images
from fixtures.scratch import scratch


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("debootstrap, docker and podman as these tests use them need root")
    # Shared by all files of a run of scripts/test, which removes it.
    if shared := os.environ.get("ENTREPOT_SHARED"):
        directory = pathlib.Path(shared) / "images"
        directory.mkdir(parents=True, exist_ok=True)
        yield Images(directory)
        return
    with scratch(tmp_path_factory, "images") as directory:
        yield Images(directory)


@pytest.fixture(scope="module")
def tool_env(tmp_path_factory):
    """An environment in which programs neither read nor change the user's configuration."""
    with scratch(tmp_path_factory, "home") as home:
        (home / "docker").mkdir()
        (home / "docker" / "config.json").write_text("{}")
        yield {
            "HOME": str(home),
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "XDG_RUNTIME_DIR": str(home),
            "DOCKER_CONFIG": str(home / "docker"),
            "TMPDIR": str(home),
        }


@pytest.fixture(scope="module")
def run(tool_env):
    def run(*argv, ok=True, env=None, **options):
        argv = [str(word) for word in argv]
        done = subprocess.run(
            argv, env={**tool_env, **(env or {})}, capture_output=True, text=True, check=False, timeout=600, **options
        )
        if ok:
            assert done.returncode == 0, f"{' '.join(argv)}\nended with {done.returncode}:\n{done.stdout}{done.stderr}"
            return done.stdout
        assert done.returncode != 0, f"{' '.join(argv)}\nwas expected to fail:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    return run

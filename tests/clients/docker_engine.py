"""A separate Docker engine, which does not interfere with one that runs already."""

import contextlib
import functools
import tempfile

from fixtures.process import Process


@contextlib.contextmanager
def docker_engine(directory, run, config="{}"):
    """Yields docker(argv...) -> stdout. `config`: the text of daemon.json."""
    directory.mkdir()
    (directory / "daemon.json").write_text(config)
    # The path of a socket has at most 104 bytes, and pytest's directories have long names.
    with tempfile.TemporaryDirectory(prefix="docker", ignore_cleanup_errors=True) as sockets:
        argv = [
            "/usr/sbin/dockerd",
            f"--config-file={directory}/daemon.json",
            f"--host=unix://{sockets}/s",
            f"--data-root={directory}/data",
            f"--exec-root={sockets}/exec",
            f"--pidfile={directory}/pid",
            "--iptables=false",
            "--ip6tables=false",
            "--bridge=none",
        ]
        docker = functools.partial(run, "/usr/bin/docker", f"--host=unix://{sockets}/s")
        engine = Process("dockerd", argv, lambda: _answers(docker), directory / "log", {"TMPDIR": "/var/tmp"})
        engine.launch()
        try:
            engine.wait_ready(60)
            yield docker
        finally:
            if engine.alive():
                engine.terminate()


def _answers(docker):
    try:
        docker("info")
        return True
    except AssertionError:
        return False

"""A separate Docker engine, which does not interfere with one that runs already."""

import contextlib
import functools
import tempfile

from fixtures.process import Process


@contextlib.contextmanager
def docker_engine(directory, run, config="{}", program="/usr/sbin/dockerd", settings=None):
    """Yields docker(argv...) -> stdout. `config`: the text of daemon.json. `settings`: a directory that is its /etc/docker."""
    directory.mkdir()
    (directory / "daemon.json").write_text(config)
    # The path of a socket has at most 104 bytes, and pytest's directories have long names.
    with tempfile.TemporaryDirectory(prefix="docker", ignore_cleanup_errors=True) as sockets:
        argv = [
            program,
            f"--config-file={directory}/daemon.json",
            f"--host=unix://{sockets}/s",
            f"--data-root={directory}/data",
            f"--exec-root={sockets}/exec",
            f"--pidfile={directory}/pid",
            "--iptables=false",
            "--ip6tables=false",
            "--bridge=none",
        ]
        if settings:
            mounted = 'mkdir -p /etc/docker && mount --bind "$0" /etc/docker && exec "$@"'
            argv = ["unshare", "--mount", "sh", "-c", mounted, settings, *argv]
        # Version 29 refuses Debian's client otherwise.
        environment = {"TMPDIR": "/var/tmp", "DOCKER_MIN_API_VERSION": "1.24"}
        docker = functools.partial(run, "/usr/bin/docker", f"--host=unix://{sockets}/s")
        engine = Process("dockerd", argv, lambda: _answers(docker), directory / "log", environment)
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

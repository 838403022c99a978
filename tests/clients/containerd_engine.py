"""A separate, empty containerd."""

import contextlib
import functools

from fixtures.process import Process


@contextlib.contextmanager
def containerd_engine(directory, run):
    """Yields ctr(argv...) -> stdout."""
    directory.mkdir()
    config = directory / "config.toml"
    config.write_text(
        f'version = 2\nroot = "{directory}/root"\nstate = "{directory}/state"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\naddress = "{directory}/s"\n[ttrpc]\naddress = "{directory}/t"\n'
    )
    ctr = functools.partial(run, "ctr", f"--address={directory}/s")
    process = Process("containerd", ["/usr/bin/containerd", "--config", config], lambda: _is_ready(ctr), directory / "log")
    process.launch()
    try:
        process.wait_ready()
        yield ctr
    finally:
        if process.alive():
            process.terminate()


def _is_ready(ctr):
    try:
        ctr("version")
        return True
    except AssertionError:
        return False

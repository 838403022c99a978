"""A separate, empty containerd."""

import contextlib
import functools
import struct

from fixtures.process import Process


@contextlib.contextmanager
def containerd_engine(directory, run, settings=None):
    """Yields ctr(argv...) -> stdout. `settings`: more of its configuration, for kubelet_pull(); without, it serves no
    kubelet."""
    directory.mkdir()
    config = directory / "config.toml"
    config.write_text(
        f'version = 2\nroot = "{directory}/root"\nstate = "{directory}/state"\n'
        + ("" if settings else 'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        + f'[grpc]\naddress = "{directory}/s"\n[ttrpc]\naddress = "{directory}/t"\n{settings or ""}'
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


def kubelet_pull(directory, run, image):
    """Asks the containerd in `directory` for an image as the kubelet does: PullImage of Kubernetes' CRI, over gRPC. The image
    is in the namespace k8s.io then."""
    name = image.encode()
    assert len(name) < 120, "a length of one byte"
    # PullImageRequest{image: ImageSpec{image: name}}
    spec = b"\x0a" + bytes([len(name)]) + name
    message = b"\x0a" + bytes([len(spec)]) + spec
    request, answer = directory / "request", directory / "answer"
    request.write_bytes(struct.pack(">BI", 0, len(message)) + message)
    head = run("curl", "--silent", "--show-error", "--http2-prior-knowledge", "--unix-socket", directory / "s", "--dump-header", "-",
               "--output", answer, "--header", "Content-Type: application/grpc", "--header", "TE: trailers",
               "--data-binary", f"@{request}", "http://localhost/runtime.v1.ImageService/PullImage")  # fmt: skip
    assert "grpc-status: 0" in head, head


def _is_ready(ctr):
    try:
        ctr("version")
        return True
    except AssertionError:
        return False

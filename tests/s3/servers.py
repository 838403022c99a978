"""Servers that speak S3, each built from a Go module of a fixed version (third_party/go)."""

import contextlib

from fixtures.ports import free_port
from fixtures.process import Process, listens
from fixtures.tools import go_tool

ACCESS_KEY = "entrepot"
SECRET_KEY = "the secret of the tests"


@contextlib.contextmanager
def s3_server(name, directory):
    """Yields the URL of a running, empty server. name: "versitygw" or "minio"."""
    port = free_port()
    store = directory / "objects"
    store.mkdir(parents=True)
    argv, environment = _COMMANDS[name](go_tool(name), port, store)
    process = Process(name, argv, listens(port), directory / f"{name}.log", environment)
    process.launch()
    try:
        process.wait_ready(60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill9()


def _versitygw(program, port, store):
    argv = [program, "--port", f"127.0.0.1:{port}", "--region", "us-east-1", "--keep-alive", "--quiet", "posix", store]
    return argv, {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}


def _minio(program, port, store):
    # The console listens too; a port of its own choice could be one that another test was given.
    argv = [program, "server", "--quiet", "--address", f"127.0.0.1:{port}", "--console-address", f"127.0.0.1:{free_port()}", store]
    return argv, {"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY, "MINIO_BROWSER": "off", "HOME": store.parent}


_COMMANDS = {"versitygw": _versitygw, "minio": _minio}

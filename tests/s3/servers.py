"""Servers that speak S3, each built from a Go module of a fixed version (third_party/go)."""

import contextlib

from fixtures.ports import free_port
from fixtures.process import Process, listens
from fixtures.tools import go_tool

ACCESS_KEY = "entrepot"
SECRET_KEY = "the secret of the tests"


class S3Server:
    """name: "versitygw" or "minio"."""

    BUCKET = "registry"

    def __init__(self, name, directory):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.store = directory / "objects"
        # Both keep a bucket in a directory of its name.
        (self.store / self.BUCKET).mkdir(parents=True)
        self._credentials = directory / "credentials"
        self._credentials.write_text(f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n")
        self._credentials.chmod(0o600)
        argv, environment = _COMMANDS[name](go_tool(name), self.port, self.store)
        self.process = Process(name, argv, listens(self.port), directory / f"{name}.log", environment)

    def start(self):
        self.process.launch()
        self.process.wait_ready(60)

    def config(self):
        """-> the field "objects" of a registry whose objects are in the bucket."""
        return {"s3": {"endpoint": self.url, "bucket": self.BUCKET, "credentials_file": str(self._credentials)}}


@contextlib.contextmanager
def s3_server(name, directory):
    """Yields a running, empty S3Server."""
    server = S3Server(name, directory)
    server.start()
    try:
        yield server
    finally:
        if server.process.alive():
            server.process.kill9()


def _versitygw(program, port, store):
    argv = [program, "--port", f"127.0.0.1:{port}", "--region", "us-east-1", "--keep-alive", "--quiet", "posix", store]
    return argv, {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}


def _minio(program, port, store):
    # The console listens too; a port of its own choice could be one that another test was given.
    argv = [program, "server", "--quiet", "--address", f"127.0.0.1:{port}", "--console-address", f"127.0.0.1:{free_port()}", store]
    return argv, {"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY, "MINIO_BROWSER": "off", "HOME": store.parent}


_COMMANDS = {"versitygw": _versitygw, "minio": _minio}

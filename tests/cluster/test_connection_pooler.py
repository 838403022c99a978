"""A proxy that shares sessions of PostgreSQL among its clients is refused at the start, with a sentence that names the remedy."""

import contextlib
import pathlib
import tempfile

import pytest

from fixtures import engines
from fixtures.ports import free_port
from fixtures.process import Process, listens
from fixtures.registry import start_registry


@contextlib.contextmanager
def pgbouncer(server_port, pool_mode):
    """-> the port of a PgBouncer in front of the server at `server_port`."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="entrepot-pgbouncer.") as name:
        directory = pathlib.Path(name)
        # It does not run as root, and must reach its files.
        directory.chmod(0o711)
        users = directory / "users"
        users.write_text(f'"{engines.PostgresServer.USER}" ""\n')
        config = directory / "pgbouncer.ini"
        config.write_text(
            f"[databases]\n* = host=127.0.0.1 port={server_port}\n\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\npool_mode = {pool_mode}\n"
            f"auth_type = trust\nauth_file = {users}\n"
        )
        argv = ["/usr/sbin/pgbouncer", "-u", "postgres", config]
        process = Process("pgbouncer", argv, listens(port), directory / "log")
        process.launch()
        try:
            process.wait_ready()
            yield port
        finally:
            if process.alive():
                process.kill9()


@pytest.mark.parametrize("pool_mode", ("session", "transaction", "statement"))
def test_pgbouncer_is_refused(tmp_path, pool_mode):
    config = engines.configure(tmp_path)
    with pgbouncer(engines.postgres().port, pool_mode) as port:
        config["records"]["postgres"]["servers"] = [f"127.0.0.1:{port}"]
        with pytest.raises(AssertionError) as refusal:
            start_registry("standalone", tmp_path / "registry", config=config).stop()
    assert "entrepot ended with 1" in str(refusal.value)
    assert "a proxy that shares sessions (PgBouncer, Odyssey, pgcat) stands between" in str(refusal.value)

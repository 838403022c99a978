"""The database and the bucket of k8s/overlays/cluster, at the addresses that it names: PostgreSQL and versitygw on the node, both
with certificates of one authority."""

import pathlib
import shutil
import subprocess
import tempfile

from fixtures.certificates import Authority
from fixtures.process import Process
from fixtures.registry import ROOT
from fixtures.tools import go_tool
from k8s.sandbox import ADDRESS

POSTGRES_PASSWORD = "the database's password"
ACCESS_KEY, SECRET_KEY = "entrepot", "the-secret-of-the-bucket"
_HOSTS = ("db-1.example", "db-2.example", "s3.example")


class Stores:
    def __init__(self, node):
        self._node = node
        # Of its own, because PostgreSQL does not run as root and must reach it, and the path of its socket must be short.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="entrepot-stores."))
        try:
            self.directory.chmod(0o711)
            node.add_host(*_HOSTS)
            self.authority = Authority(self.directory / "ca", "stores")
            certificate, key = self.authority.issue("stores", *(f"DNS:{host}" for host in _HOSTS))
            self._start_postgres(certificate, key)
            self._start_s3(certificate, key)
        except BaseException:
            self.close()
            raise

    def secrets(self):
        """-> the data of the Secrets that the overlay names: {name: {key: text}}"""
        authority = self.authority.certificate.read_text()
        credentials = f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
        return {
            "entrepot-postgres-app": {"password": POSTGRES_PASSWORD},
            "entrepot-postgres-ca": {"ca.crt": authority},
            "entrepot-s3": {"credentials": credentials},
            "entrepot-s3-ca": {"ca.crt": authority},
        }

    def sql(self, statement, database="postgres"):
        psql = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/psql"))[-1]
        argv = [psql, "-h", self.directory / "db", "-U", "postgres", "-d", database, "-XAtqc", statement]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def close(self):
        """Its processes end with the node."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def _launch(self, name, ready, argv, env=None):
        process = Process(name, self._node.sandbox.command(*argv), ready, self.directory / f"{name}.log", env)
        process.launch()
        process.wait_ready(60)

    def _start_postgres(self, certificate, key):
        directory = self.directory / "db"
        directory.mkdir()
        (directory / "hba").write_text("local all all trust\nhostssl all all 0.0.0.0/0 scram-sha-256\n")
        for source, name in ((certificate, "tls.crt"), (key, "tls.key")):
            shutil.copy(source, directory / name)
        for file in directory.iterdir():
            file.chmod(0o600)
            shutil.chown(file, "nobody")
        settings = {"listen_addresses": ADDRESS, "port": 5432, "max_connections": 300, "hba_file": directory / "hba", "ssl": "on",
                    "ssl_cert_file": directory / "tls.crt", "ssl_key_file": directory / "tls.key"}  # fmt: skip
        argv = [ROOT / "services/kv/testing/run_postgres", directory, *(f"{name}={value}" for name, value in settings.items())]
        self._launch("postgres", self._accepts, argv)
        self.sql(f"CREATE ROLE entrepot LOGIN PASSWORD '{POSTGRES_PASSWORD.replace(chr(39), chr(39) * 2)}'")
        self.sql("CREATE DATABASE entrepot OWNER entrepot")

    def _accepts(self):
        try:
            return self.sql("SELECT 1") == "1"
        except subprocess.CalledProcessError:
            return False

    def _start_s3(self, certificate, key):
        store = self.directory / "s3"
        # A bucket is a directory.
        (store / "registry").mkdir(parents=True)
        argv = [go_tool("versitygw"), "--port", f"{ADDRESS}:9000", "--region", "us-east-1", "--cert", certificate, "--key", key,
                "--keep-alive", "--quiet", "posix", store]  # fmt: skip
        self._launch("s3", self._s3_answers, argv, {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY})

    def _s3_answers(self):
        try:
            self._node.sandbox.run("bash", "-c", f"exec 3<>/dev/tcp/{ADDRESS}/9000")
            return True
        except AssertionError:
            return False

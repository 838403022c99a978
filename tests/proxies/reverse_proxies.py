"""nginx, HAProxy and Traefik with the settings of docs/reverse-proxies.md, and clients that reach a registry through
them."""

import contextlib
import http.client
import json
import shutil
import socket
import ssl

from fixtures.certificates import Authority
from fixtures.guide import Guide
from fixtures.http import Answer
from fixtures.polling import wait_for
from fixtures.ports import free_port
from fixtures.process import Process
from fixtures.tools import go_tool

NAME = "registry.example"
GUIDE = Guide("docs/reverse-proxies.md")


# Only the client that finds out whether a proxy serves already has this address.
STARTER = "127.0.0.7"


class ReverseProxy:
    """A proxy in front of a registry. `prepare` writes its files into `directory` and returns its command. `ca`: of the
    registry's certificate, if the proxy does not end TLS."""

    def __init__(self, name, directory, registry_port, prepare, ca=None):
        directory.mkdir()
        self.port = free_port()
        authority = Authority(directory / "tls")
        self._ca = ca or authority.certificate
        certificate, key = authority.issue("registry", f"DNS:{NAME}")
        argv = prepare(directory, self.port, registry_port, certificate, key)
        self.process = Process(name, argv, self._serves, directory / "log")
        self.process.launch()
        self.process.wait_ready()

    def _serves(self):
        with contextlib.suppress(OSError):
            return self.client(STARTER).request("GET", "/v2/").status in (200, 401)
        return False

    def client(self, address="127.0.0.1"):
        return ProxiedClient(self.port, address, self._ca)


class ProxiedClient:
    """A client at `address`, one of 127.0.0.0/8, that knows the registry by its name."""

    def __init__(self, port, address, ca):
        self.authority = f"{NAME}:{port}"
        self._port = port
        self._address = address
        self._context = ssl.create_default_context(cafile=ca)

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self._port), 60, source_address=(self._address, 0))
        connection = http.client.HTTPSConnection(NAME, self._port, timeout=60)
        connection.sock = self._context.wrap_socket(plain, server_hostname=NAME)
        return connection

    def request(self, method, path, body=None, headers=None):
        """`body`: bytes, or an iterable of bytes, which is sent chunked."""
        connection = self.connect()
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


def nginx(directory, port, registry_port, certificate, key):
    site = GUIDE.adapt(
        GUIDE.settings("nginx"),
        {
            "127.0.0.1:5000": f"127.0.0.1:{registry_port}",
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "/etc/ssl/registry.crt": certificate,
            "/etc/ssl/registry.key": key,
        },
    )
    (directory / "registry.conf").write_text(site)
    scratch = "".join(
        f"{kind}_temp_path {directory}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (directory / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {directory}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{scratch}include {directory}/registry.conf;\n}}\n"
    )
    return [_program("nginx"), "-p", directory, "-c", directory / "nginx.conf", "-e", "stderr"]


def haproxy(directory, port, registry_port, certificate, key):
    pem = directory / "registry.pem"
    pem.write_text(certificate.read_text() + key.read_text())
    return _haproxy(
        directory,
        GUIDE.settings("HAProxy"),
        {
            "127.0.0.1:5000": f"127.0.0.1:{registry_port}",
            "bind :443": f"bind 127.0.0.1:{port}",
            "/etc/haproxy/registry.pem": pem,
        },
    )


def haproxy_tcp(send="send-proxy-v2", ends_tls=False):
    """With the PROXY protocol: `send` is what HAProxy sends."""

    def prepare(directory, port, registry_port, certificate, key):
        pem = directory / "registry.pem"
        pem.write_text(certificate.read_text() + key.read_text())
        changes = {
            "127.0.0.1:5000 send-proxy-v2": f"127.0.0.1:{registry_port} {send}",
            "bind :443": f"bind 127.0.0.1:{port}" + (f" ssl crt {pem}" if ends_tls else ""),
        }
        return _haproxy(directory, GUIDE.settings("HAProxy with the PROXY protocol"), changes)

    return prepare


def _haproxy(directory, text, changes):
    file = directory / "haproxy.cfg"
    file.write_text(GUIDE.adapt(text, changes))
    return [_program("haproxy"), "-db", "-f", file]


def traefik(directory, port, registry_port, certificate, key):
    static, dynamic = directory / "traefik.yaml", directory / "registry.yaml"
    static.write_text(
        GUIDE.adapt(GUIDE.settings("Traefik"), {":443": f"127.0.0.1:{port}", "/etc/traefik/registry.yaml": dynamic})
        + "global: {checkNewVersion: false, sendAnonymousUsage: false}\n"
    )
    dynamic.write_text(
        GUIDE.adapt(
            GUIDE.settings("Traefik", 1),
            {
                "127.0.0.1:5000": f"127.0.0.1:{registry_port}",
                "/etc/traefik/registry.crt": certificate,
                "/etc/traefik/registry.key": key,
            },
        )
    )
    return [go_tool("traefik"), f"--configFile={static}"]


def _program(name):
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert found, f"{name} is not installed: run scripts/install test"
    return found


def addresses_of_requests(registry, path=None):
    """The addresses of the requests in the log, but for those that found out whether the proxy serves already."""
    requests = logged(registry, "request")
    return {line["remote_address"] for line in requests if path in (None, line["path"])} - {STARTER}


def wait_for_addresses(registry, expected, path=None):
    """Waits until the requests in the log have these addresses: a request is logged after its response was sent."""
    wait_for(lambda: addresses_of_requests(registry, path), lambda addresses: addresses == expected)


def address_of(registry, response):
    """The address in the log's line of the request that was answered by `response`."""
    request_id = response.headers["X-Request-Id"]
    lines = wait_for(lambda: [line for line in logged(registry, "request") if line["request_id"] == request_id])
    return lines[0]["remote_address"]


def logged(registry, message):
    """The lines of all processes' logs with that message."""
    lines = [line for process in registry.processes.values() for line in process.log.read_text().splitlines()]
    return [entry for entry in map(json.loads, lines) if entry["message"] == message]

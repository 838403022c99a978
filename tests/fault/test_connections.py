"""One client takes all the connections, or the process has few descriptors: others are served, and the operator port answers."""

import concurrent.futures
import contextlib
import resource
import socket

import pytest

from fixtures import http
from fixtures.polling import wait_for
from hostile.raw import Connection, exchange

GET = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
IDLE = 4200


@pytest.fixture(autouse=True)
def fixture_descriptors():
    """This process needs as many as it opens connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def idle_connections(port, number, answered=False):
    """Connections that send nothing, or nothing more after one answer."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(number):
            connection = Connection(port)
            stack.callback(connection.socket.close)
            if answered:
                connection.send(GET)
                assert connection.receive().status in (200, 401)
            opened.append(connection)
        yield opened


def connect_from(address, port):
    connection = Connection.__new__(Connection)
    connection.socket = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(address, 0))
    connection.received = b""
    return connection


def operator_port(registry):
    return int(registry.operator_url().rpartition(":")[2])


@pytest.mark.parametrize("answered", [False, True], ids=["silent", "answered"])
def test_idle_connections_of_one_client_leave_room_for_others(own_registry, answered):
    with idle_connections(own_registry.port, IDLE, answered):
        for address in ("127.0.0.1", "127.0.0.2"):
            with connect_from(address, own_registry.port) as client:
                client.send(GET)
                assert client.receive().status == 200
        assert http.request("GET", f"{own_registry.operator_url()}/healthz").status == 200
        metrics = own_registry.metrics()
        assert metrics.total("entrepot_http_connections") < metrics.total("entrepot_http_connections_max")
        assert metrics.total("entrepot_http_connections_shed_total", action="closed_idle") > 0
    log = own_registry.process.log.read_text()
    lines = [line for line in log.splitlines() if "a limit on connections is reached" in line]
    assert 0 < len(lines) < 60
    assert '"setting":"limits.connections_per_address_max"' in lines[0]
    assert '"remote_address":"127.0.0.1"' in lines[0]


@pytest.mark.modes("standalone")
def test_pushes_of_others_go_on_while_one_client_opens_connections(make_registry):
    registry = make_registry(config={"limits": {"connections_max": 64, "connections_per_address_max": 16}})
    with idle_connections(registry.port, 50), concurrent.futures.ThreadPoolExecutor(4) as pool:

        def flood(_):
            for _ in range(200):
                with contextlib.suppress(OSError):
                    Connection(registry.port).socket.close()

        flooding = [pool.submit(flood, number) for number in range(3)]
        for _ in range(50):
            with connect_from("127.0.0.2", registry.port) as client:
                client.send(b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
                assert client.receive().status == 202
        for each in flooding:
            each.result()


def test_operator_port_answers_beside_silent_connections(own_registry):
    with idle_connections(operator_port(own_registry), 300):
        for path in ("/healthz", "/readyz", "/metrics"):
            answer = exchange(operator_port(own_registry), f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert answer.status == 200
        assert own_registry.metrics().total("entrepot_operator_connections_shed_total") >= 300 - 64


def restart_with_limit(registry, soft, hard):
    """The gateway, or the only process, with these limits on descriptors."""
    name = registry.main_name()
    process = registry.processes[name]
    process.terminate()
    process.argv = ["/usr/bin/prlimit", f"--nofile={soft}:{hard}", *process.argv]
    registry.start(name)


def test_soft_limit_on_descriptors_is_raised(own_registry):
    restart_with_limit(own_registry, 1024, 20000)
    check_served_beside(own_registry, 1100)
    assert own_registry.metrics().total("process_max_fds") == 20000
    assert own_registry.metrics().total("entrepot_http_connections_max") == 4096


def test_few_descriptors_lower_the_number_of_connections(own_registry):
    restart_with_limit(own_registry, 1024, 1024)
    check_served_beside(own_registry, 1100)
    standalone = own_registry.mode == "standalone"
    assert own_registry.metrics().total("entrepot_http_connections_max") == (192 if standalone else 448)
    log = own_registry.process.log.read_text()
    assert "limits.connections_max: 4096 connections need" in log
    assert f"the process may open 1024, so it is lowered to {192 if standalone else 448}" in log


def check_served_beside(registry, number):
    with idle_connections(registry.port, number):
        with connect_from("127.0.0.2", registry.port) as client:
            client.send(GET)
            assert client.receive().status == 200
        assert http.request("GET", f"{registry.operator_url()}/healthz").status == 200
        assert registry.metrics().total("process_open_fds") < registry.metrics().total("process_max_fds")


@pytest.mark.modes("standalone")
def test_too_few_descriptors_prevent_the_start(own_registry):
    process = own_registry.process
    process.terminate()
    process.argv = ["/usr/bin/prlimit", "--nofile=512:512", *process.argv]
    process.launch()
    wait_for(process.alive, lambda alive: not alive)
    assert "limits.connections_max: 4096 connections need 8832 file descriptors, and the process may open 512" in (
        process.log.read_text()
    )
    process.argv = process.argv[2:]
    own_registry.start()


def test_both_ports_answer_when_the_descriptors_run_out(own_registry):
    """The limit falls while the registry runs: the idle connections are closed for others."""
    pid = own_registry.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    with idle_connections(own_registry.port, 200, answered=True):
        taken = int(own_registry.metrics().total("process_open_fds"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (taken - 50, limits[1]))
        try:
            for _ in range(20):
                assert http.request("GET", f"{own_registry.operator_url()}/healthz").status == 200
                assert http.request("GET", f"{own_registry.url}/v2/").status == 200
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


@pytest.mark.modes("split")
@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
def test_connections_to_a_grpc_port_leave_room_for_gateways(make_registry, make_secured_registry, secured):
    registry = (make_secured_registry if secured else make_registry)()
    services = [name for name in registry.processes if name != "gateway"]
    with contextlib.ExitStack() as stack:
        for name in services:
            for _ in range(400):
                attacker = connect_from("127.0.0.2", registry.grpc_ports[name])
                stack.callback(attacker.socket.close)
        for name in services:
            wait_for(lambda n=name: registry.metrics(n).total("entrepot_grpc_server_connections"), lambda n: n >= 257)
            refused = registry.metrics(name).total("entrepot_grpc_server_connections_refused_total", reason="address")
            assert refused == 400 - 256
            log = registry.processes[name].log.read_text()
            lines = [line for line in log.splitlines() if "a connection for gRPC is refused" in line]
            assert 0 < len(lines) < 30
            assert '"address":"127.0.0.2","limit":256,"setting":"a quarter of grpc.connections_max"' in lines[0]
        # A gateway that was connected goes on, and a new one connects.
        assert registry.request("GET", "/v2/").status in (200, 401)
        registry.restart("gateway")
        assert registry.request("GET", "/v2/").status in (200, 401)
        assert http.request("GET", f"{registry.operator_url()}/readyz").status == 200
        for name in services:
            assert http.request("GET", f"{registry.operator_url(name)}/readyz").status == 200
        # Peers that never send the beginning of HTTP/2 are closed.
        for name in services:
            wait_for(
                lambda n=name: registry.metrics(n).total("entrepot_grpc_server_connections"),
                lambda n: n < 10,
                seconds=40,
            )

"""Fixtures for all tests of more than one process. Run the tests with `scripts/test`, or, after `scripts/build tests`:

    /usr/bin/python3 -m pytest tests/clients [-k crane] [--modes standalone,split]

A test that takes one of these fixtures runs once for each mode of --modes. By default these are "standalone" and "split", or
those of its mark. "cluster" has two processes of each service over PostgreSQL and an S3 server, and HAProxy in front of
the gateways, which sends each request to the next one. "peer" is Debian's docker-registry behind the same interface, to try
a test itself.

    registry        a running Registry (fixtures/registry.py), shared by the tests of one file
    own_registry    a Registry for this test alone, with an empty data directory
    make_registry   make_registry(config={"limits": {"idle_timeout": "2s"}}, gateways=2): a function that starts a
                    Registry with the given options. config: merged into the files of all processes that have such a
                    field ("deadline" is that of the gateway's calls). data=PATH: the data directory.
                    failpoints={"blob": "blob.publish.renamed=crash"}: uses the programs of tests/failpoints.
                    environment={"blob": {"LD_PRELOAD": "..."}}: variables of a process. In standalone mode the only
                    process gets the failpoints and the variables of all.
                    upstreams={"upstreams": [{"name": "docker.io", "url": "..."}]}: the upstreams file.
    make_module_registry    the same for all tests of one file

    secured_registry        as registry, with the accounts prod, ci, admin and nobody (fixtures/accounts.py), the policy
                            of examples/policy.yaml, and TLS; in split mode the processes use mutual TLS
    make_secured_registry   make_secured_registry(policy="...", authentication={"token_lifetime": "1m"}, config={...})

@pytest.mark.modes("split") sets the modes of a test; --modes only leaves some of them out. `pytestmark = pytest.mark.alone` marks a file that measures
time or memory, or changes something of the whole machine: scripts/test runs nothing beside it.

A Registry:

    .mode                   "standalone", "split", "cluster" or "peer"
    .address, .port, .url   "127.0.0.1:PORT", PORT, "http://127.0.0.1:PORT" of the first gateway, or of HAProxy
    .addresses              the addresses of all gateways
    .processes              {name: Process}: "entrepot"; or "gateway", "gateway2", ..., "blob", "manifest", "upstream";
                            in cluster mode also "blob2", "manifest2", ... (the servers below: fixtures/engines.py)
    .grpc_ports             {name: port} of the services that are processes
    .data                   the data directory (pathlib.Path)
    .request(method, path)  http.request() to it, with TLS if the registry is secured
    .accounts_file, .policy_file, .audit_file, .ca (of its certificate), .peers (an Authority): if it is secured
    .upstreams_file, .write_upstreams(content)      if it has upstreams
    .kill9(name), .start(name), .restart(name)     one process, or all without a name; start waits until it is ready
    .set_failpoints(plan), .set_environment(...)    for processes that are started from now on
    .wait_ready(), .stop()
    .check_stopped()        stops it, and checks the invariants of its stored data
    .operator_url(name=None)    "http://127.0.0.1:PORT" of a process's operator port, by default of the gateway
    .metrics(name=None)     the Metrics of a process, by default of the gateway: .total("entrepot_http_requests_total",
                            route="blob", method="GET") adds up all samples with these labels
    .operator_url(name=None)    the URL of a process's operator endpoint
    .process                the only process, or the gateway

A Process: .pid, .alive(), .log (pathlib.Path), .log_tail(), .peak_memory() and .memory() in bytes, .send_signal(n).

If a test fails, its report shows the ends of the logs. A stop checks that each process ends with code 0 on SIGTERM.
All data is below pytest's tmp_path, which is removed after the test. fixtures/http.py has the HTTP client of the
tests: http.request("PUT", url, body=..., headers=...) -> Answer(status, headers, body). Tests do not sleep to wait for
something: fixtures/polling.py polls for it, with a deadline.
"""

import signal
import sys

import pytest

from fixtures import load_balancer
from fixtures.registry import MODES, Secured, start_registry
from fixtures.scratch import removed_after, scratch


def pytest_addoption(parser):
    parser.addoption("--modes", help="comma list of: " + ", ".join(MODES))
    parser.addoption("--cluster-long", action="store_true", help="also the tests of tests/k8s on a node of Kubernetes, which is built first")
    parser.addoption("--balance", choices=["requests", "connections"], help="what HAProxy distributes in cluster mode")


def pytest_configure(config):
    load_balancer.balance = config.getoption("--balance") or load_balancer.balance
    # Both signals act as Ctrl-C, so that the fixtures end the processes that they started. SIGINT is set explicitly
    # since a shell's background job ignores it, and programs that the job starts inherit that.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_generate_tests(metafunc):
    if "mode" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("modes")
        wanted = metafunc.config.getoption("--modes")
        modes = mark.args if mark else ("standalone", "split")
        if wanted:
            modes = [mode for mode in wanted.split(",") if not mark or mode in mark.args]
        # pytest compares the parameters of fixtures by identity: without the interning it would make the registry of a
        # module anew for each test.
        metafunc.parametrize("mode", list(map(sys.intern, modes)), indirect=True, scope="session")


@pytest.fixture(scope="session")
def mode(request):
    return request.param


# The running registries, for the report of a failed test.
_running = []


@pytest.fixture
def tmp_path(tmp_path):
    with removed_after(tmp_path):
        yield tmp_path


@pytest.fixture(scope="module")
def registry(mode, tmp_path_factory):
    with scratch(tmp_path_factory, "registry") as data:
        yield from _serve(mode, data)


@pytest.fixture
def own_registry(mode, tmp_path):
    yield from _serve(mode, tmp_path / "registry")


@pytest.fixture(scope="module")
def secured_registry(mode, tmp_path_factory):
    with scratch(tmp_path_factory, "registry") as data:
        yield from _serve(mode, data, secured=Secured())


def _serve(mode, data, **options):
    started = start_registry(mode, data, **options)
    _running.append(started)
    try:
        yield started
    finally:
        _running.remove(started)
        started.stop()


@pytest.fixture
def make_registry(mode, tmp_path):
    yield from _maker(mode, tmp_path)


@pytest.fixture(scope="module")
def make_module_registry(mode, tmp_path_factory):
    with scratch(tmp_path_factory, "registries") as directory:
        yield from _maker(mode, directory)


@pytest.fixture
def make_secured_registry(mode, tmp_path):
    for make in _maker(mode, tmp_path):
        yield lambda config=None, gateways=1, environment=None, upstreams=None, **options: make(
            config, gateways, Secured(**options), environment=environment, upstreams=upstreams
        )


def _maker(mode, directory):
    started = []

    def make(config=None, gateways=1, secured=None, data=None, **options):
        data = data or directory / f"registry{len(started)}"
        registry = start_registry(mode, data, config=config, gateways=gateways, secured=secured, **options)
        started.append(registry)
        _running.append(registry)
        return registry

    yield make
    for registry in started:
        _running.remove(registry)
    for registry in started:
        registry.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for registry in _running:
            for process in registry.processes.values():
                report.sections.append((f"end of the log of {process.name}", process.log_tail()))

"""Fixtures for tests of upstreams:

    cache          a Registry with many upstreams, shared by the tests of one file. upstream_fields(directory) of
                   the file returns further fields of their entries in the upstreams file; its UPSTREAM_ADDRESS and
                   HOST_NAMES are where they are, and the addresses of host names
    upstream       one of its upstreams, for this test alone: a ScriptedUpstream (fixtures/scripted_upstream.py) with a
                   `name`
    take_upstream  take_upstream(): further ones of them
    app            the name of the upstream's library/app in `cache`
    make_upstream  make_upstream(address="127.0.0.2", ...): further ones, which no registry knows
    make_cache     make_cache(upstream, tag_ttl="0s", ...): a Registry whose upstream docker.io is that one, with these
                   fields. file={...}: the whole upstreams file in place of that. names={"upstream.example":
                   ["127.0.0.1"]}: the addresses of host names. gateways, upstream_services: as of start_registry

At the end the stored data of each registry that still serves is checked.
"""

import pytest

from clients.conftest import images, run, tool_env  # noqa: F401: fixtures
from fixtures.host_names import host_names
from fixtures.ports import free_port
from fixtures.scripted_upstream import ScriptedUpstream
from upstream.pulls import hub

UPSTREAMS = 60


@pytest.fixture(scope="module")
def _shared(make_module_registry, request, tmp_path_factory):
    """(Registry, the names, addresses and ports of its upstreams)."""
    module = request.module
    address = getattr(module, "UPSTREAM_ADDRESS", "127.0.0.1")
    fields = getattr(module, "upstream_fields", lambda directory: {})(tmp_path_factory.mktemp("upstreams"))
    places = [(f"u{number}", address, free_port()) for number in range(UPSTREAMS)]
    entries = [{"name": name, "url": f"http://{address}:{port}", **fields} for name, address, port in places]
    environment = {"upstream": host_names(module.HOST_NAMES)} if hasattr(module, "HOST_NAMES") else None
    registry = make_module_registry(upstreams={"upstreams": entries}, environment=environment)
    yield registry, iter(places)
    check(registry)


@pytest.fixture
def cache(_shared):
    return _shared[0]


@pytest.fixture
def take_upstream(_shared):
    started = []

    def take():
        name, address, port = next(_shared[1])
        started.append(ScriptedUpstream(address, port))
        started[-1].name = name
        return started[-1]

    yield take
    for each in started:
        each.close()


@pytest.fixture
def upstream(take_upstream):
    return take_upstream()


@pytest.fixture
def app(upstream):
    return f"{upstream.name}/library/app"


@pytest.fixture
def make_upstream():
    started = []

    def make(*args, **options):
        started.append(ScriptedUpstream(*args, **options))
        return started[-1]

    yield make
    for each in started:
        each.close()


@pytest.fixture
def make_cache(make_registry):
    made = []

    def make(upstream=None, file=None, names=None, gateways=1, upstream_services=1, **fields):
        file = file or {"upstreams": [hub(upstream, **fields)]}
        environment = {"upstream": host_names(names)} if names else None
        made.append(
            make_registry(
                gateways=gateways, upstreams=file, environment=environment, upstream_services=upstream_services
            )
        )
        return made[-1]

    yield make
    for registry in made:
        check(registry)


def check(registry):
    # A test that stopped it has checked it by itself, or needs no check.
    if all(process.alive() for process in registry.processes.values()):
        assert "no violations" in registry.check_stopped()

"""Fixtures for tests of upstreams:

    cache          a Registry with many upstreams, shared by the tests of one file. upstream_fields(directory) of
                   the file returns further fields of their entries in the upstreams file
    upstream       one of its upstreams, for this test alone: a ScriptedUpstream (fixtures/scripted_upstream.py) with a
                   `name`
    app            the name of the upstream's library/app in `cache`
    make_upstream  make_upstream(address="127.0.0.2", ...): further ones, which no registry knows
    make_cache     make_cache(upstream, tag_ttl="0s", ...): a Registry whose upstream docker.io is that one, with these
                   fields. file={...}: the whole upstreams file in place of that. names={"upstream.example":
                   ["127.0.0.1"]}: the addresses of host names. gateways: as of make_registry

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
    """(Registry, the ports of its upstreams with their names)."""
    named = [(f"u{number}", free_port()) for number in range(UPSTREAMS)]
    fields = getattr(request.module, "upstream_fields", lambda directory: {})(tmp_path_factory.mktemp("upstreams"))
    entries = [{"name": name, "url": f"http://127.0.0.1:{port}", **fields} for name, port in named]
    registry = make_module_registry(upstreams={"upstreams": entries})
    yield registry, iter(named)
    check(registry)


@pytest.fixture
def cache(_shared):
    return _shared[0]


@pytest.fixture
def upstream(_shared):
    name, port = next(_shared[1])
    started = ScriptedUpstream(port=port)
    started.name = name
    yield started
    started.close()


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

    def make(upstream=None, file=None, names=None, gateways=1, **fields):
        file = file or {"upstreams": [hub(upstream, **fields)]}
        environment = {"upstream": host_names(names)} if names else None
        made.append(make_registry(gateways=gateways, upstreams=file, environment=environment))
        return made[-1]

    yield make
    for registry in made:
        check(registry)


def check(registry):
    # A test that stopped it has checked it by itself, or needs no check.
    if all(process.alive() for process in registry.processes.values()):
        assert "no violations" in registry.check_stopped()

"""Requests to upstreams go to addresses of the internet only, unless the file allows others, in every hop."""

import os
import subprocess

import pytest

from fixtures.polling import wait_for
from fixtures.scripted_upstream import ScriptedUpstream, Tokens, redirected
from upstream.pulls import APP, KIB, assert_unavailable, blobs, get_blob, get_manifest, hub, manifests, pull

# The loopback interface gets one more address.
pytestmark = pytest.mark.alone

# An address of the internet, which belongs to this machine during these tests.
PUBLIC = "192.0.3.77"


@pytest.fixture(scope="module")
def public_address():
    subprocess.run(["ip", "address", "replace", f"{PUBLIC}/32", "dev", "lo"], check=True)
    yield
    subprocess.run(["ip", "address", "delete", f"{PUBLIC}/32", "dev", "lo"], check=True)


@pytest.fixture
def public(public_address):
    upstream = ScriptedUpstream(PUBLIC)
    yield upstream
    upstream.close()


@pytest.fixture
def image(public):
    return public.repository("library/app").add_image(os.urandom(KIB), tag="v1")


@pytest.fixture
def private(make_upstream, public):
    """A server at 127.0.0.1 with the content of the public one. No test may connect to it."""
    server = make_upstream()
    for name in ("blobs", "manifests", "tags"):
        setattr(server.repository("library/app"), name, getattr(public.repository("library/app"), name))
    return server


# Ways to write 127.0.0.1, but for the port.
PRIVATE_HOSTS = {
    "number": "127.0.0.1",
    "one number": "2130706433",
    "hexadecimal": "0x7f.1",
    "octal": "017700000001",
    "short": "127.1",
    "mapped": "[::ffff:127.0.0.1]",
    "mapped in hexadecimal": "[::ffff:7f00:1]",
    "name": "localhost",
    "name with a dot": "localhost.",
    "this host": "0.0.0.0",
}


def test_an_upstream_at_an_address_of_the_internet(make_cache, public, image):
    pull(make_cache(public), APP, image)


def test_a_redirect_to_a_private_address_is_refused(make_cache, public, image, private):
    registry = make_cache(public, tag_ttl="0s", negative_ttl="0s")
    for host in PRIVATE_HOSTS.values():
        public.clear_rules()
        public.rule(blobs() + "|" + manifests(), redirected(lambda request: f"http://{host}:{private.port}{request.path}"))
        assert_unavailable(get_manifest(registry, APP, "v1"))
        assert get_blob(registry, APP, image.layers[0], method="HEAD").status == 503
        assert_unavailable(get_blob(registry, APP, image.layers[0]))
    assert private.connections == 0
    public.clear_rules()
    wait_for(lambda: get_manifest(registry, APP, "v1").status == 200)
    pull(registry, APP, image)


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "[::ffff:169.254.169.254]", "10.255.255.1"])
def test_a_redirect_to_the_metadata_service_of_a_cloud_is_refused(make_cache, public, image, host):
    registry = make_cache(public)
    public.rule(blobs(), redirected(f"http://{host}/latest/meta-data/"))
    answer = get_blob(registry, APP, image.layers[0])
    assert_unavailable(answer)
    assert "meta-data" not in answer.body.decode()


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254", "::ffff:169.254.169.254", "fd00::1"])
def test_a_redirect_to_a_name_with_a_private_address_is_refused(make_cache, public, image, private, address):
    registry = make_cache(public, names={"inside.example": [address]})
    public.rule(blobs(), redirected(lambda request: f"http://inside.example:{private.port}{request.path}"))
    assert_unavailable(get_blob(registry, APP, image.layers[0]))
    assert private.connections == 0


@pytest.mark.parametrize("addresses", [[PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC]], ids=["later private", "first private"])
def test_a_name_whose_address_changes_never_leads_to_a_private_address(make_cache, make_upstream, public, image, addresses):
    inside = make_upstream("127.0.0.1", port=public.port)
    entry = {"name": "docker.io", "url": f"http://changing.example:{public.port}", "tag_ttl": "0s", "negative_ttl": "0s"}
    registry = make_cache(file={"upstreams": [entry]}, names={"changing.example": addresses})
    for _ in range(5):
        assert get_manifest(registry, APP, "v1").status in (200, 503)
        # The next request needs a new connection.
        public.stop()
        public.start()
    assert inside.connections == 0


def test_the_redirect_of_a_redirect_is_checked_too(make_cache, public, image, private):
    public.rule(blobs(), redirected(lambda request: f"{public.url}/hop"))
    public.rule("/hop", redirected(lambda request: f"{private.url}/v2/library/app/blobs/{image.layers[0]}"))
    assert_unavailable(get_blob(make_cache(public), APP, image.layers[0]))
    assert public.count("GET", "/hop") >= 1 and private.connections == 0


def test_a_realm_at_a_private_address_is_not_asked(make_cache, public, image, private):
    tokens = Tokens(realm=f"{private.url}/token")
    private.serve_tokens(tokens)
    public.require(tokens)
    answer = get_manifest(make_cache(public), APP, "v1")
    assert answer.status in (403, 404, 503), answer
    assert private.connections == 0


@pytest.mark.parametrize("scheme", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "http://user@host/x"])
def test_a_redirect_to_another_scheme_is_refused(make_cache, public, image, scheme):
    public.rule(blobs(), redirected(scheme))
    answer = get_blob(make_cache(public), APP, image.layers[0])
    assert_unavailable(answer)


def test_an_upstream_at_a_private_address_needs_leave(make_cache, make_upstream):
    private = make_upstream()
    image = private.repository("library/app").add_image(os.urandom(KIB), tag="v1")
    # An address that the file names is meant.
    pull(make_cache(private), APP, image)
    before = private.connections
    registry = make_cache(private, allow_private_addresses=False)
    assert_unavailable(get_manifest(registry, APP, "v1"))
    assert private.connections == before
    registry.write_upstreams({"upstreams": [hub(private, allow_private_addresses=True)]})
    wait_for(lambda: get_manifest(registry, APP, "v1").status == 200)


def test_with_leave_redirects_to_private_addresses_are_followed(make_cache, public, image, private):
    public.rule(blobs(), redirected(lambda request: private.url + request.path))
    pull(make_cache(public, allow_private_addresses=True), APP, image)
    assert private.connections > 0

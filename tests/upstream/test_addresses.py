"""Requests to upstreams go to addresses of the internet only, unless the file allows others, in every hop."""

import os
import subprocess
import time

import pytest

from fixtures.polling import wait_for
from fixtures.scripted_upstream import Tokens, redirected
from upstream.pulls import APP, KIB, assert_unavailable, blobs, get_blob, get_manifest, in_parallel, manifests, pull

# The loopback interface gets one more address.
pytestmark = pytest.mark.alone

# An address of the internet, which belongs to this machine during these tests.
PUBLIC = "192.0.3.77"
UPSTREAM_ADDRESS = PUBLIC
HOST_NAMES = {
    "loopback.example": ["127.0.0.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
    "mapped-metadata.example": ["::ffff:169.254.169.254"],
    "local.example": ["fd00::1"],
    "public.example": [PUBLIC],
}

# Other ways to write 127.0.0.1 and 169.254.169.254, and other private addresses.
PRIVATE_HOSTS = [
    "127.0.0.1",
    "2130706433",
    "0x7f.1",
    "017700000001",
    "127.1",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::1]",
    "localhost",
    "localhost.",
    "0.0.0.0",
    "169.254.169.254",
    "2852039166",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::169.254.169.254]",
    "10.255.255.1",
    *(name for name in HOST_NAMES if name != "public.example"),
]


@pytest.fixture(scope="module", autouse=True)
def public_address():
    subprocess.run(["ip", "address", "replace", f"{PUBLIC}/32", "dev", "lo"], check=True)
    yield
    subprocess.run(["ip", "address", "delete", f"{PUBLIC}/32", "dev", "lo"], check=True)


@pytest.fixture
def image(upstream):
    return upstream.repository("library/app").add_image(os.urandom(KIB), tag="v1")


@pytest.fixture
def private(make_upstream, upstream):
    """A server at 127.0.0.1 with the content of the upstream."""
    server = make_upstream()
    for name in ("blobs", "manifests", "tags"):
        setattr(server.repository("library/app"), name, getattr(upstream.repository("library/app"), name))
    return server


def test_an_upstream_at_an_address_of_the_internet(cache, app, upstream, image):
    pull(cache, app, image)


def test_a_redirect_to_an_address_of_the_internet(cache, app, upstream, make_upstream, image):
    other = make_upstream(PUBLIC)
    other.repository("library/app").blobs = upstream.repository("library/app").blobs
    upstream.rule(blobs(), redirected(lambda request: f"http://public.example:{other.port}{request.path}"))
    pull(cache, app, image)
    assert other.connections > 0


def test_a_redirect_to_a_private_address_is_refused(cache, take_upstream, make_upstream):
    private = make_upstream()
    upstreams = {host: take_upstream() for host in PRIVATE_HOSTS}

    def check(number):
        host = PRIVATE_HOSTS[number]
        upstream = upstreams[host]
        image = upstream.repository("library/app").add_image(os.urandom(KIB), tag="v1")
        private.repository("library/app").blobs[image.layers[0]] = upstream.repository("library/app").blobs[image.layers[0]]
        upstream.rule(blobs(), redirected(lambda request: f"http://{host}:{private.port}{request.path}"))
        app = f"{upstream.name}/library/app"
        assert get_manifest(cache, app, "v1").status == 200
        began = time.monotonic()
        assert_unavailable(get_blob(cache, app, image.layers[0]))
        # The answer does not depend on what is at the address, and there was no time-out.
        assert time.monotonic() - began < 9, host
        assert upstream.count("GET", blobs()) >= 1
        assert private.connections == 0, host
        upstream.clear_rules()
        wait_for(lambda: get_blob(cache, app, image.layers[0]).status == 200)
        pull(cache, app, image)

    in_parallel(len(PRIVATE_HOSTS), check)


def test_a_redirect_of_a_manifest_to_a_private_address_is_refused(cache, app, upstream, image, private):
    upstream.rule(manifests(), redirected(lambda request: private.url + request.path))
    assert get_manifest(cache, app, "v1", method="HEAD").status == 503
    assert_unavailable(get_manifest(cache, app, image.digest))
    assert private.connections == 0


def test_the_redirect_of_a_redirect_is_checked_too(cache, app, upstream, image, private):
    upstream.rule(blobs(), redirected(lambda request: f"{upstream.url}/hop"))
    upstream.rule("/hop", redirected(lambda request: f"{private.url}/v2/library/app/blobs/{image.layers[0]}"))
    assert_unavailable(get_blob(cache, app, image.layers[0]))
    assert upstream.count("GET", "/hop") >= 1 and private.connections == 0


def test_a_realm_at_a_private_address_is_not_asked(cache, app, upstream, image, private):
    tokens = Tokens(realm=f"{private.url}/token")
    private.serve_tokens(tokens)
    upstream.require(tokens)
    answer = get_manifest(cache, app, "v1")
    assert_unavailable(answer)
    assert upstream.requests and private.connections == 0


LOCATIONS = ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", f"http://user@{PUBLIC}/x", "//", "http://"]


def test_a_redirect_to_what_is_no_web_address_is_refused(cache, take_upstream):
    upstreams = [take_upstream() for _ in LOCATIONS]

    def check(number):
        upstream = upstreams[number]
        layer = upstream.repository("library/app").add_blob(os.urandom(KIB))
        upstream.rule(blobs(), redirected(LOCATIONS[number]))
        assert_unavailable(get_blob(cache, f"{upstream.name}/library/app", layer))

    in_parallel(len(LOCATIONS), check)


@pytest.mark.parametrize("addresses", [[PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC]], ids=["later private", "first private"])
def test_a_name_whose_address_changes_never_leads_to_a_private_address(make_cache, make_upstream, upstream, image, addresses):
    inside = make_upstream("127.0.0.1", port=upstream.port)
    entry = {"name": "docker.io", "url": f"http://changing.example:{upstream.port}", "tag_ttl": "0s", "negative_ttl": "0s"}
    registry = make_cache(file={"upstreams": [entry]}, names={"changing.example": addresses})
    for _ in range(5):
        assert get_manifest(registry, APP, "v1").status in (200, 503)
        # The next request needs a new connection.
        upstream.stop()
        upstream.start()
    assert inside.connections == 0


def test_an_upstream_at_a_private_address_needs_leave(make_cache, make_upstream):
    private = make_upstream()
    image = private.repository("library/app").add_image(os.urandom(KIB), tag="v1")
    # An address that the file names is meant.
    pull(make_cache(private), APP, image)
    before = private.connections
    registry = make_cache(private, allow_private_addresses=False)
    assert_unavailable(get_manifest(registry, APP, "v1"))
    assert private.connections == before
    pull(make_cache(private, allow_private_addresses=True), APP, image)


def test_with_leave_redirects_to_private_addresses_are_followed(make_cache, upstream, image, private):
    upstream.rule(blobs(), redirected(lambda request: private.url + request.path))
    pull(make_cache(upstream, allow_private_addresses=True), APP, image)
    assert private.connections > 0

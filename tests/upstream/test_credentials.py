"""How the registry logs in at upstreams, and that credentials go nowhere else."""

import os
import stat

import pytest

from fixtures.certificates import Authority
from fixtures.polling import wait_for
from fixtures.scripted_upstream import BasicAuthentication, Tokens, basic, redirected, truncated
from upstream.pulls import APP, KIB, assert_unavailable, blobs, get_blob, get_manifest, manifests, pull

USER, PASSWORD = "robot", "p:ssw örd"
BASIC = basic(USER, PASSWORD)


@pytest.fixture
def image(upstream):
    return upstream.repository("library/app").add_image(*(os.urandom(KIB) for _ in range(10)), tag="v1")


@pytest.fixture
def elsewhere(make_upstream):
    """A second server, at another address."""
    return make_upstream("127.0.0.2")


def written(directory, password=PASSWORD):
    """-> the credentials of an upstream's entry."""
    file = directory / "password"
    file.write_text(password + "\n")
    file.chmod(0o600)
    return {"username": USER, "password_file": str(file)}


def upstream_fields(directory):
    """The registry has credentials for all upstreams of `cache`."""
    return {"credentials": written(directory)}


@pytest.fixture
def credentials(tmp_path):
    return written(tmp_path)


def test_an_upstream_with_basic_authentication(cache, app, upstream, image):
    upstream.require(BasicAuthentication(USER, PASSWORD))
    pull(cache, app, image)


@pytest.mark.parametrize("post_status", [404, 405, 400])
def test_credentials_go_to_the_realm_only(cache, app, upstream, image, post_status):
    upstream.require(Tokens(credentials=(USER, PASSWORD), post_status=post_status))
    pull(cache, app, image)
    assert upstream.count("GET", "/token", authorization=BASIC) >= 1
    assert upstream.count(path="/v2/.*", authorization="Basic") == 0
    assert upstream.count("GET", "/v2/.+", 200, "Bearer ") >= 12


def test_refused_credentials_are_not_sent_again_and_again(make_cache, upstream, image, tmp_path):
    registry = make_cache(upstream, credentials=written(tmp_path, "no longer right"))
    upstream.require(Tokens(credentials=(USER, PASSWORD)))
    for reference in ("v1", "v2", image.digest):
        answer = get_manifest(registry, APP, reference)
        assert answer.status == 403, answer
    # An upstream locks accounts whose password is wrong.
    assert 1 <= upstream.count(path="/token", authorization="Basic") <= 6


def test_a_new_password_is_read_without_a_restart(make_cache, upstream, image, credentials):
    registry = make_cache(upstream, negative_ttl="0s", credentials=credentials)
    tokens = Tokens(credentials=(USER, PASSWORD))
    upstream.require(tokens)
    assert get_manifest(registry, APP, "v1").status == 200
    with open(credentials["password_file"], "w") as file:
        file.write("new")
    upstream.require(Tokens(credentials=(USER, "new")))
    wait_for(lambda: get_blob(registry, APP, image.layers[0]).status == 200)


def helper(tmp_path, script):
    """-> credentials by a Docker credential helper."""
    file = tmp_path / "docker-credential-test"
    file.write_text(script)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return {"helper": str(file)}


def test_a_credential_helper_is_asked(make_cache, upstream, image, tmp_path):
    log = tmp_path / "asked"
    reply = f'{{"ServerURL":"x","Username":"{USER}","Secret":"{PASSWORD}"}}'
    upstream.require(Tokens(credentials=(USER, PASSWORD)))
    fields = helper(tmp_path, f"#!/bin/sh\necho \"$1 $(cat)\" >>{log}\necho '{reply}'\n")
    pull(make_cache(upstream, credentials=fields), APP, image)
    asked = log.read_text().splitlines()
    assert len(asked) == 1 and asked[0].startswith("get "), asked


def test_without_an_entry_at_the_helper_the_pull_is_anonymous(make_cache, upstream, image, tmp_path):
    upstream.require(Tokens())
    script = "#!/bin/sh\necho credentials not found in native keychain\nexit 1\n"
    pull(make_cache(upstream, credentials=helper(tmp_path, script)), APP, image)
    assert upstream.count(authorization="Basic") == 0


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 3\n", "#!/bin/sh\necho no JSON\n", "#!/bin/sh\nyes\n"])
def test_a_helper_that_fails_is_an_upstream_that_fails(make_cache, upstream, image, tmp_path, script):
    upstream.require(Tokens(credentials=(USER, PASSWORD)))
    registry = make_cache(upstream, credentials=helper(tmp_path, script))
    assert_unavailable(get_manifest(registry, APP, "v1"))
    assert upstream.count(authorization="Basic") == 0


def test_a_realm_elsewhere_never_sees_the_credentials(cache, app, upstream, elsewhere, image):
    tokens = Tokens(realm=elsewhere.url + "/token")
    elsewhere.serve_tokens(tokens)
    upstream.require(tokens)
    answer = get_manifest(cache, app, "v1")
    assert answer.status == 200, answer
    assert elsewhere.count(authorization="Basic") == 0
    assert_nowhere(elsewhere, PASSWORD)


def test_a_realm_that_the_file_names_gets_the_credentials(make_cache, upstream, elsewhere, image, credentials):
    tokens = Tokens(credentials=(USER, PASSWORD), realm=elsewhere.url + "/token")
    elsewhere.serve_tokens(tokens)
    upstream.require(tokens)
    registry = make_cache(upstream, credentials=credentials, realm_hosts=["127.0.0.2"])
    pull(registry, APP, image)
    assert elsewhere.count("GET", "/token", authorization=BASIC) >= 1
    assert elsewhere.count(path="/v2/.*") == 0


REALMS = {
    "a host of the same domain": ("registry.corp.example", "auth.corp.example", True),
    "a host of another domain": ("registry.corp.example", "auth.evil.example", False),
    "a host that ends alike": ("registry.corp.example", "authcorp.example", False),
    "a neighbour below a public suffix": ("victim.github.io", "evil.github.io", False),
}


@pytest.mark.parametrize("realm", REALMS)
def test_credentials_go_to_a_realm_of_the_same_domain_only(make_cache, upstream, elsewhere, image, credentials, realm):
    host, realm_host, trusted = REALMS[realm]
    tokens = Tokens(credentials=(USER, PASSWORD), realm=f"http://{realm_host}:{elsewhere.port}/token")
    elsewhere.serve_tokens(tokens)
    upstream.require(tokens)
    entry = {
        "name": "docker.io",
        "url": f"http://{host}:{upstream.port}",
        "credentials": credentials,
        "allow_private_addresses": True,
    }
    names = {host: ["127.0.0.1"], realm_host: ["127.0.0.2"]}
    registry = make_cache(file={"upstreams": [entry]}, names=names)
    if trusted:
        pull(registry, APP, image)
        return
    answer = get_manifest(registry, APP, "v1")
    assert answer.status == 403, answer
    assert elsewhere.count(authorization="Basic") == 0
    assert_nowhere(elsewhere, PASSWORD)


def assert_nowhere(server, secret):
    for request in server.requests:
        text = f"{request.path} {request.query} {request.headers} {request.body!r}"
        assert secret not in text, text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("authentication", ["token", "basic"])
def test_a_redirect_to_another_host_has_no_authorization(cache, app, upstream, elsewhere, image, status, authentication):
    elsewhere.repository("library/app").blobs = upstream.repository("library/app").blobs
    upstream.require(Tokens(credentials=(USER, PASSWORD)) if authentication == "token" else BasicAuthentication(USER, PASSWORD))
    upstream.rule(blobs(), redirected(lambda request: elsewhere.url + request.path + "?signature=x", status))
    pull(cache, app, image)
    seen = elsewhere.find("GET", blobs())
    assert len(seen) == len(image.blobs)
    for request in elsewhere.requests:
        assert request.authorization is None
        assert request.headers.get("Cookie") is None and request.headers.get("Proxy-Authorization") is None


def test_a_redirected_fetch_is_resumed_by_way_of_the_registry(cache, app, upstream, elsewhere):
    """Signed URLs expire, so that a resumption must not use the old one."""
    layer = upstream.repository("library/app").add_blob(os.urandom(256 * KIB))
    elsewhere.repository("library/app").blobs = upstream.repository("library/app").blobs
    upstream.require(Tokens(credentials=(USER, PASSWORD)))
    upstream.rule(blobs(), redirected(lambda request: elsewhere.url + request.path))
    elsewhere.rule(blobs(), truncated(64 * KIB), "GET", times=2)
    assert get_blob(cache, app, layer).status == 200
    assert len(elsewhere.find("GET", blobs())) == 3
    assert upstream.count("GET", blobs(), 307) == 3


def test_a_manifest_may_be_redirected_to_another_host(make_cache, upstream, elsewhere, image, credentials):
    """As registry.k8s.io does, HEAD included."""
    for name in ("blobs", "manifests", "tags"):
        setattr(elsewhere.repository("library/app"), name, getattr(upstream.repository("library/app"), name))
    upstream.require(Tokens(credentials=(USER, PASSWORD)))
    upstream.rule(manifests(), redirected(lambda request: elsewhere.url + request.path))
    registry = make_cache(upstream, credentials=credentials, tag_ttl="0s")
    for _ in range(2):
        pull(registry, APP, image)
    assert elsewhere.requests and all(each.authorization is None for each in elsewhere.requests)


def test_a_redirect_to_a_host_with_its_own_realm_gets_no_credentials(cache, app, upstream, elsewhere, image):
    for name in ("blobs", "manifests", "tags"):
        setattr(elsewhere.repository("library/app"), name, getattr(upstream.repository("library/app"), name))
    elsewhere.require(Tokens())
    upstream.require(Tokens(credentials=(USER, PASSWORD)))
    upstream.rule(manifests(), redirected(lambda request: elsewhere.url + request.path))
    get_manifest(cache, app, "v1")
    assert_nowhere(elsewhere, PASSWORD)
    assert elsewhere.count(authorization="Basic") == 0


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority")


def test_tls_by_the_authority_of_the_file(make_cache, make_upstream, authority):
    upstream = make_upstream(tls=authority.issue("upstream", "IP:127.0.0.1"))
    image = upstream.repository("library/app").add_image(os.urandom(KIB), tag="v1")
    pull(make_cache(upstream, ca_file=str(authority.certificate)), APP, image)
    assert_unavailable(get_manifest(make_cache(upstream), APP, "v1"))


def test_a_certificate_for_another_name_is_refused(make_cache, make_upstream, authority):
    upstream = make_upstream(tls=authority.issue("upstream", "DNS:registry.example"))
    upstream.repository("library/app").add_image(os.urandom(KIB), tag="v1")
    assert_unavailable(get_manifest(make_cache(upstream, ca_file=str(authority.certificate)), APP, "v1"))
    assert upstream.requests == []


def test_a_client_certificate(make_cache, make_upstream, authority):
    upstream = make_upstream(tls=authority.issue("upstream", "IP:127.0.0.1"), client_ca=authority.certificate)
    image = upstream.repository("library/app").add_image(os.urandom(KIB), tag="v1")
    certificate, key = authority.issue("client", "DNS:client")
    fields = {"client_certificate_file": str(certificate), "client_key_file": str(key)}
    pull(make_cache(upstream, ca_file=str(authority.certificate), **fields), APP, image)
    assert_unavailable(get_manifest(make_cache(upstream, ca_file=str(authority.certificate)), APP, "v1"))


def test_no_redirect_from_https_to_http(make_cache, make_upstream, elsewhere, authority):
    upstream = make_upstream(tls=authority.issue("upstream", "IP:127.0.0.1"))
    layer = upstream.repository("library/app").add_blob(os.urandom(KIB))
    upstream.rule(blobs(), redirected(lambda request: elsewhere.url + request.path))
    elsewhere.repository("library/app").blobs = upstream.repository("library/app").blobs
    registry = make_cache(upstream, ca_file=str(authority.certificate))
    assert get_blob(registry, APP, layer, method="HEAD").status == 503
    assert elsewhere.connections == 0

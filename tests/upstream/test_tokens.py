"""How the registry answers the challenges of upstreams, and how many requests it sends them at once."""

import os
import threading

import pytest

from fixtures.polling import wait_for
from fixtures.scripted_upstream import Tokens, basic
from upstream.pulls import APP, KIB, blobs, get_blob, get_manifest, in_parallel, pull


@pytest.fixture
def image(upstream):
    return upstream.repository("library/app").add_image(*(os.urandom(KIB) for _ in range(10)), tag="v1")


def bearer_challenge(realm, scope):
    return f'Bearer realm="{realm}",service="scripted",scope="{scope}"'


CHALLENGES = {
    "usual": lambda realm, scope: [bearer_challenge(realm, scope)],
    "two headers": lambda realm, scope: ['Basic realm="x"', bearer_challenge(realm, scope)],
    "one header": lambda realm, scope: [f'Basic realm="x, Bearer realm=y", {bearer_challenge(realm, scope)}'],
    "bearer first": lambda realm, scope: [f'{bearer_challenge(realm, scope)}, Basic realm="x"'],
    "lower case": lambda realm, scope: [f'bearer Realm="{realm}", Service="scripted", Scope="{scope}"'],
    "a quoted comma": lambda realm, scope: [f'Bearer service="a, b=c",realm="{realm}",scope="{scope}"'],
    "spaces": lambda realm, scope: [f'Bearer  realm="{realm}" ,  service="scripted" , scope="{scope}"'],
    "no service": lambda realm, scope: [f'Bearer realm="{realm}"'],
    "a placeholder for the scope": lambda realm, scope: [f'Bearer realm="{realm}",scope="repository:user/image:pull"'],
    "an unknown scheme": lambda realm, scope: ["Negotiate", 'Digest realm="x", nonce="y"', bearer_challenge(realm, scope)],
}


@pytest.mark.parametrize("challenge", CHALLENGES)
def test_a_challenge_of_any_form_is_answered(cache, app, upstream, image, challenge):
    upstream.require(Tokens(challenges=CHALLENGES[challenge]))
    pull(cache, app, image)
    assert upstream.count(authorization="Basic") == 0


@pytest.mark.parametrize("field", ["token", "access_token"])
@pytest.mark.parametrize("expires_in", [300, None, 0, 1])
def test_a_token_is_used_whatever_its_answer_tells(cache, app, upstream, image, field, expires_in):
    upstream.require(Tokens(field=field, expires_in=expires_in))
    pull(cache, app, image)
    # With a life of minutes one token does for the whole image.
    if expires_in == 300:
        assert upstream.count("GET", "/token") == 1


def test_a_token_is_shared_by_all_fetches(cache, app, upstream, image):
    upstream.require(Tokens())
    in_parallel(20, lambda number: pull(cache, app, image))
    assert upstream.count("GET", "/token") == 1
    scopes = upstream.find("GET", "/token")[0].query["scope"]
    assert scopes == ["repository:library/app:pull"]


def test_a_401_in_the_middle_of_an_image_gets_a_new_token(cache, app, upstream, image):
    tokens = Tokens()
    upstream.require(tokens)
    assert get_manifest(cache, app, "v1").status == 200
    for digest in image.layers[:3]:
        tokens.revoke()
        assert get_blob(cache, app, digest).status == 200
    pull(cache, app, image)


def test_without_credentials_none_are_invented(cache, app, upstream, image):
    upstream.require(Tokens(credentials=("robot", "secret")))
    answer = get_manifest(cache, app, "v1")
    assert answer.status in (403, 404), answer
    assert upstream.count(authorization="Basic") == 0
    # The client's own Authorization is not the upstream's.
    get_manifest(cache, app, "v1", headers={"Authorization": basic("robot", "secret")})
    assert upstream.count(authorization="Basic") == 0


def test_at_most_as_many_requests_at_once_as_the_file_has(make_cache, upstream):
    layers = [upstream.repository("library/app").add_blob(os.urandom(KIB)) for _ in range(8)]
    registry = make_cache(upstream, connections_max=2)
    gate = upstream.hold(blobs())
    clients = [threading.Thread(target=get_blob, args=(registry, APP, layer)) for layer in layers]
    for client in clients:
        client.start()
    wait_for(lambda: registry.metrics().total("entrepot_http_requests_in_flight") >= 8)
    gate.wait_reached()
    wait_for(lambda: len(upstream.requests) == 2)
    assert len(upstream.requests) <= 2
    gate.let(1)
    wait_for(lambda: len(upstream.requests) == 3)
    gate.open()
    for client in clients:
        client.join()
    assert len(upstream.find("GET", blobs(), 200)) == 8

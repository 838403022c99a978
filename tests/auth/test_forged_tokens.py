"""Forged tokens, and tokens of another registry, are refused as invalid_token."""

import base64
import hashlib
import hmac
import json

import pytest

from auth.content import challenge_of
from fixtures.accounts import Client, basic, claims_of


def encode(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def header_of(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def assert_refused(registry, token):
    answer = registry.request("GET", "/v2/driftwood/web/tags/list", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 401, answer
    challenge = challenge_of(answer)
    assert challenge.get("error") == "invalid_token", challenge
    assert "driftwood/web:pull" in challenge["scope"]


@pytest.fixture
def token(ci):
    return ci.token("repository:driftwood/web:pull")


def test_token_without_a_signature_algorithm_is_refused(secured_registry, token):
    header, payload, signature = token.split(".")
    for algorithm in ("none", "None", "NONE", ""):
        for forged in (signature, ""):
            assert_refused(secured_registry, f"{encode({**header_of(token), 'alg': algorithm})}.{payload}.{forged}")


def test_hmac_with_the_public_key_as_secret_is_refused(secured_registry, token):
    answer = secured_registry.request("GET", "/.well-known/jwks.json")
    keys = answer.json()["keys"]
    assert keys and not any("d" in key for key in keys), "the key set contains a private key"
    _, payload, _ = token.split(".")
    header = encode({**header_of(token), "alg": "HS256"})
    secrets = [answer.body, *(json.dumps(key).encode() for key in keys), *(key["x"].encode() for key in keys)]
    for secret in secrets:
        signature = hmac.new(secret, f"{header}.{payload}".encode(), hashlib.sha256).digest()
        assert_refused(secured_registry, f"{header}.{payload}.{encode(signature)}")


def test_key_inside_the_token_is_ignored(secured_registry, token):
    _, payload, signature = token.split(".")
    own = {"kty": "oct", "k": encode(b"secret"), "alg": "HS256"}
    for extra in ({"jwk": own}, {"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/x"}):
        assert_refused(secured_registry, f"{encode({**header_of(token), **extra})}.{payload}.{signature}")
        header = encode({**header_of(token), **extra, "alg": "HS256"})
        forged = hmac.new(b"secret", f"{header}.{payload}".encode(), hashlib.sha256).digest()
        assert_refused(secured_registry, f"{header}.{payload}.{encode(forged)}")


@pytest.mark.parametrize("kid", ["../../../../etc/passwd", "x' OR '1'='1", "", "a" * 4000, None, 7, {"a": 1}])
def test_unknown_key_id_is_refused(secured_registry, token, kid):
    _, payload, signature = token.split(".")
    assert_refused(secured_registry, f"{encode({**header_of(token), 'kid': kid})}.{payload}.{signature}")


def test_changed_claims_are_refused(secured_registry, token):
    header, _, signature = token.split(".")
    everything = [{"type": "repository", "name": "driftwood/web", "actions": ["*"]}]
    for change in ({"sub": "admin"}, {"exp": 4102444800}, {"access": everything}):
        assert_refused(secured_registry, f"{header}.{encode({**claims_of(token), **change})}.{signature}")


def test_changed_signature_is_refused(secured_registry, token):
    header, payload, signature = token.split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[5] ^= 1
    for forged in (encode(bytes(raw)), "", signature[:-4], encode(b"\0" * len(raw))):
        assert_refused(secured_registry, f"{header}.{payload}.{forged}")
    # Other spellings of the same token, which a lenient decoder would accept.
    for spelled in (f"{token}=", f"{token}==", token + ".", f"{token}!"):
        assert_refused(secured_registry, spelled)


@pytest.mark.parametrize("token", ["x", ".", "..", "a.b", "a.b.c", "a.b.c.d", "e30.e30.e30", "x" * 8000])
def test_malformed_token_is_refused(secured_registry, token):
    assert_refused(secured_registry, token)


def test_token_of_another_registry_is_refused(secured_registry, make_secured_registry):
    other = make_secured_registry()
    assert_refused(secured_registry, Client(other, "admin").token("repository:driftwood/web:pull"))


def test_basic_credentials_are_refused_outside_the_token_endpoint(secured_registry, ci):
    answer = secured_registry.request(
        "GET", "/v2/driftwood/web/tags/list", headers={"Authorization": basic("ci", ci.password)}
    )
    assert answer.status == 401

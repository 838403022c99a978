"""The settings of docs/reverse-proxies.md with the real programs: clients push and pull through TLS, and the registry knows
each client behind the proxy."""

import hashlib
import json
import os
import re
from urllib.parse import urlencode

import pytest
import yaml

from fixtures.accounts import PASSWORDS, basic
from fixtures.polling import wait_for
from proxies.reverse_proxies import (
    GUIDE,
    ReverseProxy,
    address_of,
    addresses_of_requests,
    haproxy,
    haproxy_tcp,
    logged,
    nginx,
    traefik,
    wait_for_addresses,
)

# The first test that needs Traefik builds it.
pytestmark = pytest.mark.timeout(1800)

PROXIES = {"nginx": nginx, "haproxy": haproxy, "traefik": traefik}
MIB = 1 << 20


def listen_of_guide(heading, number=0):
    """The registry's settings in the guide, without those that the fixture chooses."""
    listen = yaml.safe_load(GUIDE.settings(heading, number))["listen"]
    assert listen.pop("address") == "127.0.0.1" and listen.pop("port") == 5000
    listen.pop("tls", None)
    return listen


def configured(listen):
    return {"listen": listen, "log": {"level": "debug"}}


@pytest.fixture
def start_proxy(tmp_path):
    """start_proxy(name, prepare, registry) -> a ReverseProxy."""
    started = []

    def start(name, prepare, registry):
        started.append(ReverseProxy(name, tmp_path / name, registry.port, prepare, registry.ca))
        return started[-1]

    yield start
    for proxy in started:
        if proxy.process.alive():
            proxy.process.kill9()


@pytest.fixture(params=PROXIES)
def proxied(request, make_secured_registry, start_proxy):
    """(registry, proxy): a registry with accounts behind a proxy that ends TLS."""
    registry = make_secured_registry(
        config=configured(listen_of_guide("The registry")),
        authentication={"failed_attempts_max": 3, "failed_attempt_interval": "1h"},
        tls=False,
    )
    return registry, start_proxy(request.param, PROXIES[request.param], registry)


def realm_of(answer):
    assert answer.status == 401, answer
    return re.search(r'realm="([^"]*)"', answer.headers["WWW-Authenticate"]).group(1)


def ask_token(client, account, password, scope=None):
    """Asks for a token where the challenge sends the client. -> the Answer."""
    realm = realm_of(client.request("GET", "/v2/"))
    prefix = f"https://{client.authority}"
    assert realm.startswith(prefix + "/"), f"the client is sent to {realm}"
    query = urlencode({"service": "entrepot", **({"scope": scope} if scope else {})})
    return client.request("GET", f"{realm[len(prefix):]}?{query}", headers={"Authorization": basic(account, password)})


def bearer(client, account, scope):
    answer = ask_token(client, account, PASSWORDS[account], scope)
    assert answer.status == 200, answer
    return {"Authorization": "Bearer " + answer.json()["token"]}


def pieces(data, size=MIB // 4):
    for start in range(0, len(data), size):
        yield data[start : start + size]


def push_and_pull(client, size):
    """A push in chunks, a pull and a Range, as Docker's client does them."""
    token = bearer(client, "ci", "repository:driftwood/web:pull,push")
    data = os.urandom(size)
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    answer = client.request("POST", "/v2/driftwood/web/blobs/uploads/", body=b"", headers=token)
    assert answer.status == 202, answer
    answer = client.request("PATCH", path_of(client, answer), pieces(data), token)
    assert answer.status == 202, answer
    location = path_of(client, answer)
    separator = "&" if "?" in location else "?"
    answer = client.request("PUT", f"{location}{separator}digest={digest}", b"", token)
    assert answer.status == 201, answer
    blob = path_of(client, answer)
    answer = client.request("GET", blob, headers=token)
    assert answer.status == 200 and answer.body == data
    answer = client.request("GET", blob, headers={**token, "Range": f"bytes={MIB - 7}-{MIB + 6}"})
    assert answer.status == 206 and answer.body == data[MIB - 7 : MIB + 7]


def path_of(client, answer):
    """The path of a Location, which must lead to where the client came from."""
    location = answer.headers["Location"]
    prefix = f"https://{client.authority}"
    path = location[len(prefix) :] if location.startswith(prefix + "/") else location
    assert path.startswith("/"), f"the client is sent to {location}"
    return path


def test_clients_push_and_pull(proxied):
    _, proxy = proxied
    push_and_pull(proxy.client(), 64 * MIB)


def test_the_proxy_does_not_buffer_a_push(proxied):
    registry, proxy = proxied
    client = proxy.client()
    token = bearer(client, "ci", "repository:driftwood/web:pull,push")
    answer = client.request("POST", "/v2/driftwood/web/blobs/uploads/", body=b"", headers=token)
    location = path_of(client, answer)
    data = os.urandom(4 * MIB)

    def body():
        yield data[: 2 * MIB]
        # The registry has the first half although the client has not sent the second one.
        wait_for(lambda: registry.metrics().total("entrepot_http_requests_in_flight") >= 1)
        yield data[2 * MIB :]

    answer = client.request("PATCH", location, body(), token)
    assert answer.status == 202, answer
    assert answer.headers["Range"] == f"0-{len(data) - 1}"


def test_a_client_that_fails_to_log_in_locks_out_no_other(proxied):
    _, proxy = proxied
    guesser, owner = proxy.client("127.0.0.2"), proxy.client("127.0.0.3")
    for _ in range(3):
        assert ask_token(guesser, "ci", "stale").status == 401
    assert ask_token(guesser, "ci", "stale").status == 429
    assert ask_token(owner, "ci", PASSWORDS["ci"]).status == 200
    assert ask_token(owner, "prod", "wrong once").status == 401


def test_a_client_cannot_claim_another_address(proxied):
    _, proxy = proxied
    guesser = proxy.client("127.0.0.2")

    def guess(number):
        address = f"203.0.113.{number}"
        headers = {
            "Authorization": basic("ci", "stale"),
            "X-Forwarded-For": address,
            "X-Real-IP": address,
            "Forwarded": f"for={address};proto=http;host=evil.example",
        }
        return guesser.request("GET", "/token?service=entrepot", headers=headers).status

    assert [guess(number) for number in range(5)] == [401, 401, 401, 429, 429]


def test_the_logs_name_the_client(proxied):
    registry, proxy = proxied
    assert ask_token(proxy.client("127.0.0.4"), "ci", "wrong").status == 401
    proxy.client("127.0.0.5").request("GET", "/v2/", headers={"Authorization": "Bearer nonsense"})
    audit = [json.loads(line) for line in registry.audit_file.read_text().splitlines()]
    assert [line["address"] for line in audit if line["event"] == "login"] == ["127.0.0.4"]
    wait_for_addresses(registry, {"127.0.0.4"}, "/token")
    wait_for_addresses(registry, {"127.0.0.4", "127.0.0.5"}, "/v2/")


@pytest.mark.parametrize("send", ["send-proxy", "send-proxy-v2"])
def test_the_proxy_protocol_in_front_of_tls(send, make_secured_registry, start_proxy):
    heading = "HAProxy with the PROXY protocol"
    registry = make_secured_registry(config=configured(listen_of_guide(heading, 1)), names=["DNS:registry.example"])
    proxy = start_proxy("haproxy", haproxy_tcp(send), registry)
    client = proxy.client("127.0.0.6")
    push_and_pull(client, 4 * MIB)
    wait_for_addresses(registry, {"127.0.0.6"})
    spoofed = client.request("GET", "/v2/", headers={"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"})
    assert realm_of(spoofed) == f"https://{client.authority}/token"
    assert address_of(registry, spoofed) == "127.0.0.6"
    assert addresses_of_requests(registry) == {"127.0.0.6"}


def test_the_proxy_protocol_behind_tls(make_secured_registry, start_proxy):
    listen = listen_of_guide("HAProxy with the PROXY protocol", 1)
    registry = make_secured_registry(config=configured(listen), tls=False)
    proxy = start_proxy("haproxy", haproxy_tcp("send-proxy-v2-ssl", ends_tls=True), registry)
    push_and_pull(proxy.client("127.0.0.6"), 4 * MIB)
    wait_for_addresses(registry, {"127.0.0.6"})


def test_a_registry_without_accounts_answers_to_its_names(make_registry, start_proxy):
    listen = listen_of_guide("The registry")
    named = make_registry(config={"listen": {**listen, "names": ["registry.example"]}})
    proxy = start_proxy("nginx", nginx, named)
    assert proxy.client().request("GET", "/v2/").status == 200
    nameless = make_registry(config={"listen": listen})
    assert nameless.request("GET", "/v2/").status == 200
    assert nameless.request("GET", "/v2/", headers={"X-Forwarded-Host": "registry.example"}).status == 403


def test_without_trust_the_log_warns_of_the_realm(make_secured_registry, start_proxy):
    registry = make_secured_registry(tls=False)
    proxy = start_proxy("nginx", nginx, registry)
    for _ in range(2):
        answer = proxy.client("127.0.0.2").request("GET", "/v2/")
        assert realm_of(answer) == f"http://registry.example:{proxy.port}/token"
    warnings = logged(registry, "a client behind a proxy was sent to an http:// realm")
    assert [line["remote_address"] for line in warnings] == ["127.0.0.1"], "one line, which names the proxy"
    assert "comes from 127.0.0.1, which is not in listen.trusted_proxies" in warnings[0]["hint"]

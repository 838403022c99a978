"""Limits of credentials and of what a client without an account can cause: large credentials, many scopes, log lines,
names of accounts, neighbours with wrong passwords."""

import json
from urllib.parse import urlencode

import pytest

from fault.content import digest_of
from fixtures.accounts import PASSWORDS, Client, claims_of
from fixtures.polling import wait_for

KIB = 1024
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def message_of(answer):
    return answer.json()["errors"][0]["message"]


def test_a_credential_of_32_kib_is_read_both_ways(secured_registry):
    """It is a wrong password, and neither a malformed request nor one that is too large."""
    longest = "x" * (32 * KIB)
    assert Client(secured_registry, "ci", longest).ask().status == 401
    assert Client(secured_registry).post(grant_type="password", username="ci", password=longest).status == 401
    for answer in (
        Client(secured_registry, "ci", longest + "x").ask(),
        Client(secured_registry).post(grant_type="password", username="ci", password=longest + "x"),
    ):
        assert answer.status == 400
        assert message_of(answer) == "the password is longer than 32768 bytes (limits.credential_bytes_max)"


def test_a_token_for_a_thousand_scopes_is_issued_and_accepted(secured_registry):
    scopes = [f"repository:driftwood/service-{number}:pull,push" for number in range(1000)]
    ci = Client(secured_registry, "ci")
    asked = ci.ask(*scopes)
    assert asked.status == 200, asked
    posted = ci.post(grant_type="password", username="ci", password=PASSWORDS["ci"], scope=" ".join(scopes))
    assert posted.status == 200, posted
    for token in (asked.json()["token"], posted.json()["access_token"]):
        assert len(claims_of(token)["access"]) == 1000
        answer = ci.request("GET", "/v2/driftwood/service-999/tags/list", token=token)
        assert answer.status == 404 and answer.json()["errors"][0]["code"] == "NAME_UNKNOWN", answer

    refused = ci.ask(*scopes, "repository:driftwood/one-more:pull")
    assert refused.status == 400
    assert message_of(refused) == "the request has more than 1000 scopes (limits.scopes_max)"


def test_the_query_of_a_token_has_64_kib(secured_registry):
    fits = "scope=" + "+".join(["repository:driftwood/a:pull"] * 900)
    fits += "&x=" + "y" * (64 * KIB - len(fits) - 3)
    assert secured_registry.request("GET", "/token?" + fits).status == 200
    refused = secured_registry.request("GET", "/token?" + fits + "y")
    assert refused.status == 414
    assert message_of(refused) == "the query is longer than 65536 bytes (limits.token_query_bytes_max)"
    elsewhere = secured_registry.request("GET", "/v2/?" + "y" * (9 * KIB))
    assert elsewhere.status == 414
    assert message_of(elsewhere) == "the request target is longer than 8192 bytes (limits.uri_bytes_max)"


def test_no_account_and_no_password_is_no_failed_login(secured_registry):
    def attempts(result):
        service = "auth" if secured_registry.mode == "split" else None
        return secured_registry.metrics(service).total("entrepot_auth_attempts_total", result=result)

    failures = attempts("failure")
    for answer in (
        secured_registry.request("GET", "/token?service=entrepot", headers={"Authorization": "Basic Og=="}),
        secured_registry.request("POST", "/token", headers=FORM, body=b"grant_type=password&username=&password="),
    ):
        assert answer.status == 200, answer
        assert claims_of(answer.json()["token"])["sub"] == ""
    assert attempts("failure") == failures


@pytest.mark.parametrize("name", ["robot$ci", "DOMAIN\\user"])
def test_names_of_other_systems_are_accounts(make_secured_registry, name):
    policy = f"""
administrators: [admin]
rules:
  - {{name: it, subjects: [{json.dumps(name)}], repositories: ["driftwood/**"], actions: [pull]}}
"""
    registry = make_secured_registry(policy=policy)
    assert Client(registry, "admin").administer("createUser", name=name, password="its password").status == 200
    token = Client(registry, name, "its password").token("repository:driftwood/web:pull,push")
    assert claims_of(token)["sub"] == name
    assert claims_of(token)["access"][0]["actions"] == ["pull"]
    logins = [line for line in audit_lines(registry) if line["event"] == "login" and line["account"] == name]
    assert logins and logins[0]["decision"] == "success"
    users = Client(registry, "admin").administer("listUsers").json()["users"]["users"]
    assert name in [user["name"] for user in users]
    assert Client(registry, "admin").administer("deleteUser", name=name).status == 200


def test_neighbours_do_not_lock_out_who_logged_in_lately(make_secured_registry):
    registry = make_secured_registry(authentication={"failed_attempts_max": 3, "failed_attempt_interval": "600s"})
    assert Client(registry, "ci").ask().status == 200
    for number in range(6):
        Client(registry, "nobody", f"stale {number}").ask()
    refused = Client(registry, "prod").ask()
    assert refused.status == 429, "prod has not logged in from here"
    wait = int(refused.headers["Retry-After"])
    assert 1 < wait <= 600 and f"try again in {wait} s" in message_of(refused)
    assert Client(registry, "ci").ask().status == 200
    assert Client(registry, "ci", "a guess").ask().status == 429


# ----------------------------------------------------------------------------------------------------------------------
# Log lines.


def audit_lines(registry):
    """The lines of the audit file and, in split mode, those that the gateway writes to its log."""
    text = registry.audit_file.read_text() + registry.process.log.read_text()
    return [line for line in map(json.loads, text.splitlines()) if line["message"] == "audit"]


def test_denials_do_not_fill_the_audit_log(make_secured_registry):
    registry = make_secured_registry()
    number = 400
    for _ in range(number):
        answer = registry.request("GET", "/v2/a/manifests/x", headers={"Authorization": "Bearer a.b.c"})
        assert answer.status == 401
    for _ in range(20):
        Client(registry, "ci", "wrong").ask()

    def events(event):
        lines = [line for line in audit_lines(registry) if line["event"] == event and line["decision"] != "success"]
        return len(lines), sum(line.get("count", 1) for line in lines)

    # The count is written when its second is over, without a further request.
    wait_for(lambda: events("access")[1] == number)
    wait_for(lambda: events("login")[1] == 20)
    assert events("access")[0] < number / 4, "one line a second, and one for each second's others"
    times = [line["time"][:19] for line in audit_lines(registry) if line["event"] == "access"]
    assert max(times.count(second) for second in times) <= 2


def test_the_count_is_written_when_the_process_ends(make_secured_registry):
    registry = make_secured_registry()
    for _ in range(10):
        registry.request("GET", "/v2/a/manifests/x", headers={"Authorization": "Bearer a.b.c"})
    registry.stop()
    lines = [line for line in audit_lines(registry) if line["event"] == "access"]
    assert sum(line.get("count", 1) for line in lines) == 10


def test_every_login_and_token_of_an_account_is_written(make_secured_registry):
    registry = make_secured_registry()
    for _ in range(30):
        assert Client(registry, "ci").ask("repository:driftwood/web:pull").status == 200
    lines = audit_lines(registry)
    assert len([line for line in lines if line["event"] == "login" and line["decision"] == "success"]) == 30
    assert len([line for line in lines if line["event"] == "token"]) == 30


# ----------------------------------------------------------------------------------------------------------------------
# Accounts that are forgotten.


def without_accounts(registry, **changes):
    """Writes the configurations of the same processes without accounts, and with the given fields."""
    for name in registry.processes:
        file = registry.data / f"{name}.yaml"
        config = json.loads(file.read_text())
        for field in ("authentication", "auth_service", "policy_file"):
            config.pop(field, None)
        for field, value in changes.get(name, {}).items():
            config[field] = {**config[field], **value} if isinstance(value, dict) else value
        file.write_text(json.dumps(config))


@pytest.mark.modes("standalone")
def test_data_with_accounts_is_not_served_without_them(make_secured_registry):
    registry = make_secured_registry()
    registry.stop()
    without_accounts(registry)
    process = registry.processes["entrepot"]
    process.launch()
    assert process._child.wait(30) == 1
    log = process.log.read_text()
    assert "has accounts, and the configuration has no authentication" in log
    assert "allow_unauthenticated: true" in log

    without_accounts(registry, entrepot={"listen": {"allow_unauthenticated": True}})
    registry.start()
    assert registry.request("GET", "/v2/").status == 200
    assert "serving without authentication a registry that has accounts" in process.log.read_text()


@pytest.mark.modes("split")
def test_a_gateway_without_accounts_gets_nothing_of_a_registry_with_them(make_secured_registry):
    registry = make_secured_registry()
    ci = Client(registry, "ci")
    assert ci.request("GET", "/v2/driftwood/web/tags/list", "repository:driftwood/web:pull").status == 404
    registry.stop()
    del registry.processes["auth"]
    without_accounts(registry)
    registry.start()
    for method, path in (
        ("GET", "/v2/_catalog"),
        ("GET", "/v2/driftwood/web/tags/list"),
        ("GET", "/v2/driftwood/web/manifests/latest"),
        ("PUT", "/v2/driftwood/web/manifests/latest"),
        ("GET", "/v2/driftwood/web/blobs/sha256:" + "0" * 64),
        ("POST", "/v2/driftwood/web/blobs/uploads/"),
        ("POST", "/v2/driftwood/web/blobs/uploads/?digest=" + digest_of(b"{}")),
    ):
        answer = registry.request(method, path, body=None if method == "GET" else b"{}")
        assert answer.status == 403 and "auth_service" in message_of(answer), (method, path, answer)

    registry.stop()
    without_accounts(registry, manifest={"allow_unauthenticated": True})
    registry.start()
    assert registry.request("GET", "/v2/_catalog").status == 200

"""The token endpoint, as clients use it."""

import datetime

import pytest

from auth.content import challenge_of, push_image
from fixtures.accounts import Client, basic, claims_of


def granted(token):
    return {(grant["type"], grant["name"]): set(grant["actions"]) for grant in claims_of(token)["access"]}


def test_login(secured_registry, ci):
    """docker login: the challenge of /v2/, a token with Basic, /v2/ with the token."""
    answer = secured_registry.request("GET", "/v2/")
    assert answer.status == 401
    challenge = challenge_of(answer)
    assert challenge["realm"] == f"{secured_registry.url}/token"
    assert challenge["service"] == "entrepot"
    assert all(challenge.values()), "an empty parameter, which some clients choke on"
    answer = ci.ask(account="ci", client_id="docker", offline_token="true")
    assert answer.status == 200
    token = answer.json()["token"]
    assert secured_registry.request("GET", "/v2/", headers={"Authorization": f"Bearer {token}"}).status == 200


def test_the_challenge_takes_its_host_from_the_request_not_from_a_proxy_that_anybody_may_be(secured_registry):
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.example"}
    answer = secured_registry.request("GET", "/v2/", headers=forged)
    assert challenge_of(answer)["realm"] == f"{secured_registry.url}/token"


def test_every_field_of_the_answer(ci):
    scope = "repository:driftwood/web:pull,push"
    answer = ci.ask(scope, client_id="test")
    fields = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert fields["token"] == fields["access_token"]
    assert fields["expires_in"] >= 60
    issued = datetime.datetime.fromisoformat(fields["issued_at"].replace("Z", "+00:00"))
    assert abs(datetime.datetime.now(datetime.timezone.utc) - issued) < datetime.timedelta(minutes=1)
    assert "refresh_token" not in fields, "nobody asked for one"
    claims = claims_of(fields["token"])
    assert {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access"} <= claims.keys()
    assert claims["sub"] == "ci"
    assert granted(fields["token"]) == {("repository", "driftwood/web"): {"pull", "push"}}


def test_grants_what_is_allowed_of_what_was_asked_for(ci, nobody, anonymous):
    joined = "repository:driftwood/web:pull,push,delete repository:other/x:pull"
    access = granted(ci.token(joined, "repository:public/x:pull,push"))
    assert {key: actions for key, actions in access.items() if actions} == {
        ("repository", "driftwood/web"): {"pull", "push"},
        ("repository", "public/x"): {"pull"},
    }
    for client in (nobody, anonymous):
        access = granted(client.token("repository:driftwood/web:pull", "repository:public/x:pull,push"))
        assert {key: actions for key, actions in access.items() if actions} == {("repository", "public/x"): {"pull"}}


def test_podmans_star(admin):
    assert {"delete", "*"} & granted(admin.token("repository:driftwood/web:*"))[("repository", "driftwood/web")]


def test_anonymous_token(anonymous):
    assert claims_of(anonymous.token("repository:public/x:pull"))["sub"] == ""


def test_password_grant_and_refresh(secured_registry, ci):
    scope = "repository:driftwood/web:pull,push"
    answer = ci.post(grant_type="password", username="ci", password=ci.password, scope=scope, access_type="offline")
    assert answer.status == 200, answer
    fields = answer.json()
    assert set(fields["scope"].split(":")[-1].split(",")) == {"pull", "push"}
    refresh = fields["refresh_token"]
    again = ci.post(grant_type="refresh_token", refresh_token=refresh, scope="repository:driftwood/a:pull")
    assert again.status == 200, again
    assert granted(again.json()["access_token"]) == {("repository", "driftwood/a"): {"pull"}}
    assert claims_of(again.json()["access_token"])["sub"] == "ci"
    without = ci.post(grant_type="password", username="ci", password=ci.password, scope=scope)
    assert "refresh_token" not in without.json()


def test_a_refresh_token_of_get_is_good_for_post(ci):
    refresh = ci.ask(offline_token="true", client_id="docker").json()["refresh_token"]
    answer = ci.post(grant_type="refresh_token", refresh_token=refresh, scope="repository:driftwood/web:pull")
    assert answer.status == 200, answer


def test_revoked_refresh_tokens(ci, admin):
    refresh = ci.ask(offline_token="true", client_id="docker").json()["refresh_token"]
    assert admin.administer("revokeRefreshTokens", account="ci").status == 200
    assert ci.post(grant_type="refresh_token", refresh_token=refresh).status == 401


@pytest.mark.parametrize("refresh", ["", "x", "a.b.c", "x" * 5000])
def test_refresh_tokens_that_never_were(ci, refresh):
    assert ci.post(grant_type="refresh_token", refresh_token=refresh).status in (400, 401)


def test_wrong_credentials_all_get_the_same_answer(secured_registry):
    """Whether the account exists is not to be seen: not in the text, not in the fields."""
    seen = set()
    for name, password in (("ci", "wrong"), ("no-such-account", "wrong"), ("robot+none", "wrong"), ("ci", "x" * 200)):
        client = Client(secured_registry, name, password)
        for answer in (client.ask("repository:driftwood/web:pull"),):
            assert answer.status == 401, answer
            errors = [{key: error.get(key) for key in ("code", "message")} for error in answer.json()["errors"]]
            fields = {key for key in answer.headers.keys()}
            seen.add((str(errors), str(sorted(fields))))
        assert client.post(grant_type="password", username=name, password=password).status == 401
    assert len(seen) == 1, seen


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic " + "QQ==", basic("", ""), basic("ci", ""), "Digest x", "Bearer"]
)
def test_malformed_credentials(secured_registry, header):
    answer = secured_registry.request("GET", "/token?service=entrepot", headers={"Authorization": header})
    assert answer.status in (400, 401), answer


@pytest.mark.parametrize("grant", [{}, *({"grant_type": each} for each in ("magic", "password", "refresh_token"))])
def test_malformed_forms(anonymous, grant):
    assert anonymous.post(**grant).status in (400, 401)


@pytest.mark.parametrize(
    "scope", ["repository", "repository:a", "a b", ":::", 'repository:a"b:pull', "repository:A/B:pull"]
)
def test_malformed_scopes_grant_nothing(ci, scope):
    answer = ci.ask(scope)
    assert answer.status in (200, 400)
    if answer.status == 200:
        assert not any(granted(answer.json()["token"]).values())


def test_another_service_is_refused_or_named(secured_registry, ci):
    """A token for somebody else is not good here."""
    answer = secured_registry.request(
        "GET", "/token?service=somebody.else", headers={"Authorization": basic("ci", ci.password)}
    )
    if answer.status == 200:
        token = answer.json()["token"]
        assert secured_registry.request("GET", "/v2/", headers={"Authorization": f"Bearer {token}"}).status == 401
    else:
        assert answer.status == 400


def test_robots(secured_registry, admin, anonymous):
    secret = admin.administer("createRobot", name="builds", scopes=[
        {"repositories": ["driftwood/tools/*"], "actions": ["pull", "push"]}]).json()["robotSecret"]  # fmt: skip
    robot = Client(secured_registry, secret["account"], secret["secret"])
    assert secret["account"] == "robot+builds"
    token = robot.token("repository:driftwood/tools/lint:pull,push,delete", "repository:driftwood/web:pull,push")
    access = {key: actions for key, actions in granted(token).items() if actions}
    assert access == {("repository", "driftwood/tools/lint"): {"pull", "push"}}
    push_image(robot, "driftwood/tools/lint", "v1")

    new = admin.administer("rotateRobotSecret", name="builds").json()["robotSecret"]["secret"]
    assert robot.ask().status == 401
    assert Client(secured_registry, secret["account"], new).ask().status == 200
    assert admin.administer("deleteRobot", name="builds").status == 200
    assert Client(secured_registry, secret["account"], new).ask().status == 401


def test_users_of_the_registry(secured_registry, admin):
    assert admin.administer("createUser", name="alice", password="a password of hers").status == 200
    alice = Client(secured_registry, "alice", "a password of hers")
    refresh = alice.ask(offline_token="true").json()["refresh_token"]
    assert admin.administer("createUser", name="alice", password="another password").status == 409
    assert admin.administer("createUser", name="ci", password="another password").status == 409
    assert admin.administer("setPassword", name="alice", password="her new password").status == 200
    assert alice.ask().status == 401
    assert alice.post(grant_type="refresh_token", refresh_token=refresh).status == 401
    assert Client(secured_registry, "alice", "her new password").ask().status == 200
    assert admin.administer("deleteUser", name="alice").status == 200
    assert Client(secured_registry, "alice", "her new password").ask().status == 401


def test_groups_give_rights_at_once(make_secured_registry):
    registry = make_secured_registry(policy="""
administrators: [admin]
groups:
  - name: web
rules:
  - name: web
    subjects: ["group:web"]
    repositories: ["web/**"]
    actions: [pull, push]
""")
    admin, nobody = Client(registry, "admin"), Client(registry, "nobody")
    scope = "repository:web/shop:pull,push"
    assert not any(granted(nobody.token(scope)).values())
    assert admin.administer("addToGroup", group="web", account="nobody").status == 200
    push_image(nobody, "web/shop", "v1")
    assert admin.administer("removeFromGroup", group="web", account="nobody").status == 200
    assert not any(granted(nobody.token(scope)).values())


def test_only_administrators_administer(secured_registry, ci, anonymous):
    for client in (ci, anonymous):
        assert client.administer("listUsers").status in (401, 403)
        delete = client.request("DELETE", "/entrepot/v1/repositories/driftwood/web", "registry:administration:*")
        assert delete.status in (401, 403)
    assert secured_registry.request("POST", "/entrepot/v1/administer", body=b"{}").status == 401

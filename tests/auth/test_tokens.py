"""The token endpoint grants exactly what the policy allows, and the accounts behind it can be administered."""

import datetime

import pytest

from auth.content import challenge_of, code_of, push_image
from fixtures.accounts import Client, basic, claims_of


def granted(token):
    return {(grant["type"], grant["name"]): set(grant["actions"]) for grant in claims_of(token)["access"]}


def test_login_as_docker_does_it(secured_registry, ci):
    """The challenge of /v2/, then a token with Basic, then /v2/ with the token."""
    answer = secured_registry.request("GET", "/v2/")
    assert answer.status == 401
    challenge = challenge_of(answer)
    assert challenge["realm"] == f"{secured_registry.url}/token"
    assert challenge["service"] == "entrepot"
    assert all(challenge.values()), "some clients fail on an empty parameter"
    answer = ci.ask(account="ci", client_id="docker", offline_token="true")
    assert answer.status == 200
    token = answer.json()["token"]
    assert secured_registry.request("GET", "/v2/", headers={"Authorization": f"Bearer {token}"}).status == 200


def test_challenge_ignores_forwarded_host_fields(secured_registry):
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.example"}
    answer = secured_registry.request("GET", "/v2/", headers=forged)
    assert challenge_of(answer)["realm"] == f"{secured_registry.url}/token"


def test_token_answer_has_all_fields(ci):
    scope = "repository:driftwood/web:pull,push"
    answer = ci.ask(scope, client_id="test")
    fields = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert fields["token"] == fields["access_token"]
    assert fields["expires_in"] >= 60
    issued = datetime.datetime.fromisoformat(fields["issued_at"].replace("Z", "+00:00"))
    assert abs(datetime.datetime.now(datetime.timezone.utc) - issued) < datetime.timedelta(minutes=1)
    assert "refresh_token" not in fields, "no refresh token was requested"
    claims = claims_of(fields["token"])
    assert {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access"} <= claims.keys()
    assert claims["sub"] == "ci"
    assert granted(fields["token"]) == {("repository", "driftwood/web"): {"pull", "push"}}


def test_token_grants_only_the_allowed_part_of_the_scopes(ci, nobody, anonymous):
    joined = "repository:driftwood/web:pull,push,delete repository:other/x:pull"
    access = granted(ci.token(joined, "repository:public/x:pull,push"))
    assert {key: actions for key, actions in access.items() if actions} == {
        ("repository", "driftwood/web"): {"pull", "push"},
        ("repository", "public/x"): {"pull"},
    }
    for client in (nobody, anonymous):
        access = granted(client.token("repository:driftwood/web:pull", "repository:public/x:pull,push"))
        assert {key: actions for key, actions in access.items() if actions} == {("repository", "public/x"): {"pull"}}


def test_scope_with_a_star_grants_all_actions(admin):
    """podman requests `*`."""
    assert {"delete", "*"} & granted(admin.token("repository:driftwood/web:*"))[("repository", "driftwood/web")]


def test_anonymous_token_has_an_empty_subject(anonymous):
    assert claims_of(anonymous.token("repository:public/x:pull"))["sub"] == ""


def test_password_grant_gives_a_refresh_token_if_requested(ci):
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


def test_refresh_token_of_a_get_works_in_a_post(ci):
    refresh = ci.ask(offline_token="true", client_id="docker").json()["refresh_token"]
    answer = ci.post(grant_type="refresh_token", refresh_token=refresh, scope="repository:driftwood/web:pull")
    assert answer.status == 200, answer


def test_revoked_refresh_token_is_refused(ci, admin):
    refresh = ci.ask(offline_token="true", client_id="docker").json()["refresh_token"]
    assert admin.administer("revokeRefreshTokens", account="ci").status == 200
    assert ci.post(grant_type="refresh_token", refresh_token=refresh).status == 401


@pytest.mark.parametrize("refresh, status", [("", 400), ("x", 401), ("a.b.c", 401), ("x" * 5000, 401)])
def test_invalid_refresh_token_is_refused(ci, refresh, status):
    assert ci.post(grant_type="refresh_token", refresh_token=refresh).status == status


def test_wrong_credentials_get_the_same_answer_for_all_accounts(secured_registry):
    """Neither the text nor the header fields show whether the account exists."""
    seen = set()
    for name, password in (("ci", "wrong"), ("no-such-account", "wrong"), ("robot+none", "wrong"), ("ci", "x" * 200)):
        client = Client(secured_registry, name, password)
        answer = client.ask("repository:driftwood/web:pull")
        assert answer.status == 401, answer
        errors = [{key: error.get(key) for key in ("code", "message")} for error in answer.json()["errors"]]
        seen.add((str(errors), str(sorted(set(answer.headers.keys())))))
        assert client.post(grant_type="password", username=name, password=password).status == 401
    assert len(seen) == 1, seen


@pytest.mark.parametrize("header, status", [
    *((header, 400) for header in ("Basic", "Basic !!!", "Basic " + "QQ==", "Digest x", "Bearer")),
    *((header, 401) for header in (basic("", "x"), basic("ci", ""))),
])
def test_malformed_credentials_are_refused(secured_registry, header, status):
    answer = secured_registry.request("GET", "/token?service=entrepot", headers={"Authorization": header})
    assert answer.status == status, answer


@pytest.mark.parametrize("grant", [{}, *({"grant_type": each} for each in ("magic", "password", "refresh_token"))])
def test_malformed_token_form_is_refused(anonymous, grant):
    assert anonymous.post(**grant).status == 400


@pytest.mark.parametrize(
    "scope", ["repository", "repository:a", "a b", ":::", 'repository:a"b:pull', "repository:A/B:pull"]
)
def test_malformed_scope_grants_nothing(ci, scope):
    answer = ci.ask(scope)
    assert answer.status == 200, answer
    assert not any(granted(answer.json()["token"]).values())


def test_token_for_another_service_is_not_accepted(secured_registry, ci):
    """The registry refuses to issue the token, or does not accept it."""
    answer = secured_registry.request(
        "GET", "/token?service=other.example", headers={"Authorization": basic("ci", ci.password)}
    )
    if answer.status == 200:
        token = answer.json()["token"]
        assert secured_registry.request("GET", "/v2/", headers={"Authorization": f"Bearer {token}"}).status == 401
    else:
        assert answer.status == 400


def test_robot_has_only_its_scopes_until_deleted(secured_registry, admin):
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


def test_user_logs_in_with_the_current_password_until_deleted(secured_registry, admin):
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


def test_group_membership_takes_effect_at_once(make_secured_registry):
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


def test_administration_needs_an_administrator(secured_registry, ci, anonymous):
    for client, refusal in ((ci, (403, "DENIED")), (anonymous, (401, "UNAUTHORIZED"))):
        assert code_of(client.administer("listUsers")) == refusal
        delete = client.request("DELETE", "/entrepot/v1/repositories/driftwood/web", "registry:administration:*")
        assert code_of(delete) == refusal
    assert secured_registry.request("POST", "/entrepot/v1/administer", body=b"{}").status == 401

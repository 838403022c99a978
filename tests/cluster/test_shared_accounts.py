"""Accounts, keys and tokens are the same at all replicas, within the times that docs/state-of-replicas.md has."""

import time

import pytest

from auth.content import push_blob
from cluster.gateways import EveryGateway, each_gateway
from fixtures.accounts import PASSWORDS, Client, write_accounts
from fixtures.polling import wait_for

pytestmark = pytest.mark.modes("cluster")

SCOPE = "repository:driftwood/web:pull,push"
# Within this time each auth service signs with a new key.
KEY_SECONDS = 3
# Within this time each process has read a file that changed.
FILE_SECONDS = 4


def key_ids(gateway):
    return {key["kid"] for key in gateway.request("GET", "/.well-known/jwks.json").json()["keys"]}


def test_a_token_of_one_gateway_is_accepted_by_the_other(secured_registry):
    one, two = each_gateway(secured_registry)
    token = Client(one, "ci").token(SCOPE)
    for gateway in (one, two, one, two):
        answer = Client(gateway, "ci").request("POST", "/v2/driftwood/web/blobs/uploads/", token=token)
        assert answer.status == 202, answer


def test_a_rotated_key_is_known_to_all(secured_registry):
    one, two = each_gateway(secured_registry)
    before = key_ids(one)
    assert Client(EveryGateway(secured_registry), "admin").administer("rotateKeys").status == 200
    # Whichever auth service issues a token, and with whichever key: the other gateway accepts it at once.
    deadline = time.monotonic() + KEY_SECONDS
    while time.monotonic() < deadline:
        for issuer, user in ((one, two), (two, one)):
            token = Client(issuer, "ci").token(SCOPE)
            answer = Client(user, "ci").request("POST", "/v2/driftwood/web/blobs/uploads/", token=token)
            assert answer.status == 202, answer
    # By now all services sign with the new key, so that each gateway has met it.
    for gateway in (one, two):
        assert len(key_ids(gateway) - before) == 1


def test_a_robot_is_known_to_all_at_once_and_gone_at_once(secured_registry):
    one, two = each_gateway(secured_registry)
    admin = Client(one, "admin")
    scopes = [{"repositories": ["driftwood/**"], "actions": ["pull", "push"]}]
    secret = admin.administer("createRobot", name="shared", scopes=scopes).json()["robotSecret"]
    for gateway in (two, one) * 3:
        robot = Client(gateway, secret["account"], secret["secret"])
        assert push_blob(robot, "driftwood/web", b"of a robot").status == 201
    assert admin.administer("deleteRobot", name="shared").status == 200
    for gateway in (two, one) * 3:
        assert Client(gateway, secret["account"], secret["secret"]).ask(SCOPE).status == 401


def test_a_changed_policy_and_changed_accounts_are_in_force_at_all(make_secured_registry):
    registry = make_secured_registry()
    before = registry.policy_file.read_text()
    registry.policy_file.write_text(before.replace("subjects: [ci]", "subjects: [ci, nobody]"))
    write_accounts(registry.accounts_file, {**PASSWORDS, "newcomer": "pass word"})
    changed = time.monotonic()
    for gateway in each_gateway(registry) * 2:
        left = changed + FILE_SECONDS - time.monotonic()
        wait_for(lambda: push_blob(Client(gateway, "nobody"), "driftwood/web", b"x").status == 201, seconds=left)
        wait_for(lambda: Client(gateway, "newcomer", "pass word").ask().status == 200, seconds=left)

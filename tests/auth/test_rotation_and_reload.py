"""Signing keys, the policy and the accounts change while the registry runs; changes that are invalid have no effect."""

import itertools
import json
from collections import Counter

import pytest

from auth.content import manifest_of, push_blob, push_image, put_manifest
from fixtures.accounts import PASSWORDS, Client, write_accounts
from fixtures.load import Load
from fixtures.polling import wait_for


def key_ids(registry):
    return {key["kid"] for key in registry.request("GET", "/.well-known/jwks.json").json()["keys"]}


class Pusher:
    """Pushes images in a loop, in turn with a new token and with a token from before all rotations."""

    def __init__(self, client, number):
        self._client = client
        self._repository = f"driftwood/load{number}"
        self._old_token = client.token(f"repository:{self._repository}:pull,push")
        self.counts = Counter()

    def run(self, stop):
        while not stop.is_set():
            number = self.counts["requests"]
            push_image(self._client, self._repository, f"v{number}", f"{self._repository} {number}",
                       self._old_token if number % 2 else None)  # fmt: skip
            self.counts["requests"] += 1


def test_key_rotation_under_load_fails_no_push(make_secured_registry):
    """Neither pushes with tokens of an old key fail, nor those with the first tokens of a new key."""
    registry = make_secured_registry()
    ci, admin = Client(registry, "ci"), Client(registry, "admin")
    before = key_ids(registry)
    with Load([Pusher(ci, number) for number in range(4)]) as load:
        for _ in range(5):
            load.wait_for_progress(requests=2)
            assert admin.administer("rotateKeys").status == 200
        load.wait_for_progress(requests=2)
    wait_for(lambda: key_ids(registry) - before, lambda new: len(new) >= 5)
    assert before <= key_ids(registry), "tokens of the first key are still valid"


def test_rotated_keys_are_listed(make_secured_registry):
    registry = make_secured_registry()
    admin = Client(registry, "admin")
    first = admin.administer("listKeys").json()["keys"]["keys"]
    admin.administer("rotateKeys")
    second = admin.administer("listKeys").json()["keys"]["keys"]
    assert len(second) == len(first) + 1
    assert [key["active"] for key in second].count(True) == 1


def wait_until_refused(registry, file, *services):
    """Waits until each process that reads the file ("policy" or "accounts") has refused its new content."""
    for name in services if registry.mode == "split" else ["entrepot"]:
        wait_for(lambda: registry.metrics(name).total(f"entrepot_{file}_reloads_total", result="failure"))


def test_changed_policy_takes_effect_and_invalid_policy_does_not(make_secured_registry):
    registry = make_secured_registry()
    nobody = Client(registry, "nobody")
    scope = "repository:driftwood/web:pull,push"

    def may_push():
        return push_blob(nobody, "driftwood/web", b"x").status == 201

    assert not may_push()
    before = registry.policy_file.read_text()
    registry.policy_file.write_text("rules: [{subject: nobody}]\nthis is not a policy")
    wait_until_refused(registry, "policy", "auth", "manifest")
    assert Client(registry, "ci").ask(scope).status == 200, "the old policy stays"
    assert not may_push()
    registry.policy_file.write_text(before.replace("subjects: [ci]", "subjects: [ci, nobody]"))
    wait_for(may_push)
    push_image(nobody, "driftwood/web", "frozen-1", "a")
    ci = Client(registry, "ci")
    numbers = itertools.count()

    def may_move_the_tag():
        body = manifest_of(b"{}", [b"layer of a"], annotations={"n": str(next(numbers))})
        return put_manifest(ci, "driftwood/web", "frozen-1", body).status == 201

    assert may_move_the_tag() and may_move_the_tag()
    registry.policy_file.write_text(before.replace('tags: ["release-*"]', 'tags: ["release-*", "frozen-*"]'))
    wait_for(lambda: not may_move_the_tag())
    assert not may_move_the_tag()


def test_a_process_reads_the_policy_once(make_secured_registry):
    registry = make_secured_registry()
    for name in ("auth", "manifest") if registry.mode == "split" else ["entrepot"]:
        assert registry.metrics(name).total("entrepot_policy_reloads_total", result="success") == 1
    registry.policy_file.write_text("rules: [{subject: nobody}]")
    wait_until_refused(registry, "policy", "auth", "manifest")
    assert len(logged(registry, "new policy refused, the old one stays")) == 1


def test_a_policy_that_is_cut_short_is_held_back(make_secured_registry):
    registry = make_secured_registry()
    whole = registry.policy_file.read_text()
    ci = Client(registry, "ci")
    push_image(ci, "driftwood/web", "release-1", "a")
    registry.policy_file.write_text(whole[: whole.index("immutable_tags:")])
    for name in ("auth", "manifest") if registry.mode == "split" else ["entrepot"]:
        wait_for(lambda: registry.metrics(name).total("entrepot_policy_reloads_total", result="held_back"))
    (line,) = logged(registry, "a new policy is held back, because it lacks restrictions of the one in force")
    assert "immutable_tags[0]" in line["rules"] and line["seconds"] == 30
    moved = manifest_of(b"{}", [b"layer of a"], annotations={"moved": "yes"})
    assert put_manifest(ci, "driftwood/web", "release-1", moved).status == 403


def logged(registry, message):
    """The lines of the process with the accounts that have this message."""
    process = registry.processes.get("auth") or registry.process
    lines = [json.loads(line) for line in process.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["message"] == message]


def test_all_mistakes_of_a_policy_and_unknown_accounts_are_logged(make_secured_registry):
    unknown = "the policy names accounts or groups that do not exist"
    policy = "administrators: [admin]\ngroups:\n  - {name: night}\nrules:\n"
    rule = "  - {subjects: [ci, SUBJECT], repositories: [a], actions: [pull]}\n"
    registry = make_secured_registry(policy=policy + rule.replace("SUBJECT", "prd"))
    (line,) = logged(registry, unknown)
    assert line["level"] == "warning"
    assert line["problems"].splitlines() == [
        'policy.yaml:3: groups[0]: the group "night" has no members',
        'policy.yaml:5: rules[0].subjects[1]: the registry has no user "prd"',
    ]

    registry.policy_file.write_text(policy + "  - {subjects: [ci], repository: a, actions: [fly]}\n  - {}\n")
    wait_until_refused(registry, "policy", "auth", "manifest")
    (line,) = logged(registry, "new policy refused, the old one stays")[-1:]
    places = [problem.split(": ")[:2] for problem in line["error"].splitlines()]
    assert places == [["policy.yaml:5", "rules[0]"], ["policy.yaml:5", "rules[0].actions[0]"],
                      ["policy.yaml:6", "rules[1].subjects"], ["policy.yaml:6", "rules[1].repositories"],
                      ["policy.yaml:6", "rules[1].actions"]]  # fmt: skip

    policy = policy.replace("{name: night}", "{name: night, members: [prod]}")
    registry.policy_file.write_text(policy + rule.replace("SUBJECT", "robot+none"))
    line = wait_for(lambda: logged(registry, unknown)[1:])[0]
    assert line["problems"] == 'policy.yaml:5: rules[0].subjects[1]: the registry has no robot "none"'


def test_a_registry_with_mistakes_in_its_policy_names_them_all_and_does_not_start(make_secured_registry, tmp_path):
    policy = "administrators: [anyone]\nrules:\n  - {subject: [ci]}\n"
    with pytest.raises(AssertionError) as failure:
        make_secured_registry(policy=policy)
    for place in ("policy.yaml:1: administrators[0]: ", 'policy.yaml:3: rules[0]: unknown field "subject"'):
        assert place in str(failure.value)


def test_changed_accounts_take_effect_and_invalid_accounts_do_not(make_secured_registry):
    registry = make_secured_registry()
    write_accounts(registry.accounts_file, {**PASSWORDS, "newcomer": "pass word", "ci": "changed"})
    wait_for(lambda: Client(registry, "newcomer", "pass word").ask().status == 200)
    assert Client(registry, "ci").ask().status == 401
    assert Client(registry, "ci", "changed").ask().status == 200
    registry.accounts_file.write_text("ci:plain text, which is not a hash\n")
    wait_until_refused(registry, "accounts", "auth")
    assert Client(registry, "ci", "changed").ask().status == 200
    write_accounts(registry.accounts_file, {"admin": PASSWORDS["admin"]})
    wait_for(lambda: Client(registry, "ci", "changed").ask().status == 401)

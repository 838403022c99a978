"""What changes while the registry runs: keys, policy, accounts; and races for a tag."""

import concurrent.futures
import itertools
import threading
import time

from auth.content import code_of, manifest_of, push_blob, push_image, put_manifest
from fixtures.accounts import PASSWORDS, Client, write_accounts


def eventually(condition, timeout=20):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def kids(registry):
    return {key["kid"] for key in registry.request("GET", "/.well-known/jwks.json").json()["keys"]}


def test_keys_rotate_under_a_load_of_pushes(make_secured_registry):
    """No request fails: neither those with old tokens, nor those with the first tokens of a new key."""
    registry = make_secured_registry()
    ci, admin = Client(registry, "ci"), Client(registry, "admin")
    stop = threading.Event()
    pushed = []

    def push_on(worker):
        count = 0
        kept = ci.token(f"repository:driftwood/load{worker}:pull,push")
        while not stop.is_set():
            # By turns with a token of its own and with one that lives through all rotations.
            push_image(ci, f"driftwood/load{worker}", f"v{count}", f"{worker} {count}", kept if count % 2 else None)
            count += 1
        pushed.append(count)

    before = kids(registry)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(push_on, worker) for worker in range(4)]
        try:
            for _ in range(5):
                time.sleep(0.4)
                assert admin.administer("rotateKeys").status == 200
        finally:
            time.sleep(0.4)
            stop.set()
        for worker in workers:
            worker.result()
    assert min(pushed) > 2
    eventually(lambda: len(kids(registry) - before) >= 5)
    assert before <= kids(registry), "tokens of the first key are still good"


def test_rotated_keys_are_listed(make_secured_registry):
    registry = make_secured_registry()
    admin = Client(registry, "admin")
    first = admin.administer("listKeys").json()["keys"]["keys"]
    admin.administer("rotateKeys")
    second = admin.administer("listKeys").json()["keys"]["keys"]
    assert len(second) == len(first) + 1
    assert [key["active"] for key in second].count(True) == 1


def test_a_changed_policy_is_in_force_soon_and_a_broken_one_never(make_secured_registry):
    registry = make_secured_registry()
    nobody = Client(registry, "nobody")
    scope = "repository:driftwood/web:pull,push"

    def may_push():
        return push_blob(nobody, "driftwood/web", b"x").status == 201

    assert not may_push()
    before = registry.policy_file.read_text()
    registry.policy_file.write_text("rules: [{subject: nobody}]\nthis is no policy")
    time.sleep(2.5)
    assert Client(registry, "ci").ask(scope).status == 200, "the old policy stays"
    registry.policy_file.write_text(before.replace("subjects: [ci]", "subjects: [ci, nobody]"))
    eventually(may_push)
    push_image(nobody, "driftwood/web", "frozen-1", "a")
    ci = Client(registry, "ci")
    numbers = itertools.count()

    def moves_the_tag():
        body = manifest_of(b"{}", [b"layer of a"], annotations={"n": str(next(numbers))})
        return put_manifest(ci, "driftwood/web", "frozen-1", body).status == 201

    assert moves_the_tag() and moves_the_tag()
    registry.policy_file.write_text(before.replace('tags: ["release-*"]', 'tags: ["release-*", "frozen-*"]'))
    eventually(lambda: not moves_the_tag())
    assert not moves_the_tag()


def test_changed_accounts_are_in_force_soon_and_broken_ones_never(make_secured_registry):
    registry = make_secured_registry()
    write_accounts(registry.accounts_file, {**PASSWORDS, "newcomer": "pass word", "ci": "changed"})
    eventually(lambda: Client(registry, "newcomer", "pass word").ask().status == 200)
    assert Client(registry, "ci").ask().status == 401
    assert Client(registry, "ci", "changed").ask().status == 200
    registry.accounts_file.write_text("ci:plain text, which is no hash\n")
    time.sleep(2.5)
    assert Client(registry, "ci", "changed").ask().status == 200
    write_accounts(registry.accounts_file, {"admin": PASSWORDS["admin"]})
    eventually(lambda: Client(registry, "ci", "changed").ask().status == 401)


def test_a_race_for_an_immutable_tag_has_one_winner(make_secured_registry):
    registry = make_secured_registry()
    ci = Client(registry, "ci")
    token = ci.token("repository:driftwood/web:pull,push")
    for blob in (b"{}", b"layer"):
        assert push_blob(ci, "driftwood/web", blob, token).status == 201
    for round_number in range(5):
        tag = f"release-{round_number}"
        bodies = [manifest_of(b"{}", [b"layer"], annotations={"n": f"{round_number} {n}"}) for n in range(16)]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda body: put_manifest(ci, "driftwood/web", tag, body, token), bodies))
        won = [body for body, answer in zip(bodies, answers) if answer.status == 201]
        assert len(won) == 1
        assert all(code_of(answer) == (403, "DENIED") for answer in answers if answer.status != 201)
        stored = ci.request("GET", f"/v2/driftwood/web/manifests/{tag}", token=token)
        assert stored.body == won[0]

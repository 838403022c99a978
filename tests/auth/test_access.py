"""The policy decides each request, and a refused request reveals nothing about a repository's content."""

import concurrent.futures
import json
import os
import re

import pytest

from auth.content import (
    CONFIG_TYPE,
    MANIFEST_TYPE,
    challenge_of,
    code_of,
    digest_of,
    manifest_of,
    push_blob,
    push_image,
    put_manifest,
)
from fixtures.accounts import Client
from fixtures.polling import wait_for


def detail_of(answer):
    return json.dumps(answer.json()["errors"][0].get("detail"))


def unique(prefix):
    return f"{prefix}{os.urandom(4).hex()}"


VARYING_FIELDS = ("date", "x-request-id", "content-length")


# Every request on a repository: method, path below /v2/NAME/, body.
ROUTES = [
    ("GET", "manifests/latest", None),
    ("HEAD", "manifests/latest", None),
    ("PUT", "manifests/latest", b"{}"),
    ("DELETE", "manifests/latest", None),
    ("GET", "blobs/" + digest_of(b"{}"), None),
    ("HEAD", "blobs/" + digest_of(b"{}"), None),
    ("DELETE", "blobs/" + digest_of(b"{}"), None),
    ("POST", "blobs/uploads/", b""),
    ("GET", "blobs/uploads/x", None),
    ("PATCH", "blobs/uploads/x", b"x"),
    ("PUT", "blobs/uploads/x?digest=" + digest_of(b"x"), b"x"),
    ("DELETE", "blobs/uploads/x", None),
    ("GET", "tags/list", None),
    ("GET", "referrers/" + digest_of(b"{}"), None),
]


@pytest.mark.parametrize("method, path, body", ROUTES, ids=[f"{method}-{path[:16]}" for method, path, _ in ROUTES])
def test_denial_hides_existence(secured_registry, ci, prod, nobody, anonymous, method, path, body):
    """The answers for an existing and an absent repository are the same: without a token, with an anonymous one, with a
    token for another repository, and with one that was requested for this repository in vain."""
    push_image(ci, "driftwood/hidden", "latest")

    def ask(repository, client, scope):
        headers = {"Authorization": f"Bearer {client.token(scope.format(repository))}"} if client else {}
        return secured_registry.request(method, f"/v2/{repository}/{path}", body=body, headers=headers)

    everything = "repository:{}:pull,push,delete"
    callers = [(None, ""), (nobody, "repository:x:*")]
    callers += [(client, everything) for client in (anonymous, nobody, prod)]
    for client, scope in callers:
        in_vain = client in (nobody, prod) and scope == everything
        texts = []
        for name in ("hidden", "nowhere"):
            answer = ask(f"driftwood/{name}", client, scope)
            assert answer.status == (403 if in_vain and method != "HEAD" else 401), answer
            fields = {key.lower(): value.replace(name, "?") for key, value in answer.headers.items()}
            if answer.status == 401:
                challenge = challenge_of(answer)
                assert f"repository:driftwood/{name}:" in challenge["scope"]
                assert challenge.get("error") == ("insufficient_scope" if client else None)
                assert ("no rule of policy.yaml allows it" in challenge.get("error_description", "")) == in_vain
            else:
                assert "www-authenticate" not in fields
                assert code_of(answer) == (403, "DENIED") and b"no rule of policy.yaml allows it" in answer.body
            body_without_name = answer.body.replace(name.encode(), b"?")
            text = re.sub(rb'"request_?id":"[^"]*"', b"", body_without_name)
            fields = {key: value for key, value in fields.items() if key not in VARYING_FIELDS}
            texts.append((fields, text))
        assert texts[0] == texts[1]


def test_denial_names_the_rule_that_applies(ci, prod):
    push_image(ci, "driftwood/web", "v1")
    scope = "repository:driftwood/web:pull,push"
    answer = prod.request("POST", "/v2/driftwood/web/blobs/uploads/", scope, body=b"")
    assert code_of(answer) == (403, "DENIED")
    assert answer.json()["errors"][0]["message"] == (
        'account "prod" may not push to "driftwood/web": '
        'rule 1 ("production runs the web image") of policy.yaml allows only pull'
    )
    assert "push" in detail_of(answer) and "driftwood/web" in detail_of(answer) and "pull" in detail_of(answer)
    answer = prod.request("POST", "/v2/driftwood/web/blobs/uploads/", "repository:driftwood/web:pull", body=b"")
    assert code_of(answer) == (401, "UNAUTHORIZED"), "the client has not asked for push yet"
    assert "error_description" not in challenge_of(answer)


def test_denial_explains_the_scopes_of_robots_and_the_registry(secured_registry, ci, admin):
    name = unique("explained-")
    scopes = [{"repositories": ["driftwood/**"], "actions": ["pull"]}]
    created = admin.administer("createRobot", name=name, scopes=scopes).json()["robotSecret"]
    robot = Client(secured_registry, created["account"], created["secret"])
    push_image(ci, "driftwood/web", "v1")
    answer = robot.request("DELETE", "/v2/driftwood/web/manifests/v1", "repository:driftwood/web:delete")
    assert code_of(answer) == (403, "DENIED")
    assert f"and the scopes of robot+{name} allow only pull" in answer.json()["errors"][0]["message"]
    answer = ci.administer("listUsers")
    assert code_of(answer) == (403, "DENIED")
    message = 'account "ci" may not administer the registry: it is not an administrator'
    assert answer.json()["errors"][0]["message"] == message


def test_client_whose_rights_grow_gets_them_with_its_next_token(make_secured_registry):
    rule = '{subjects: [prod], repositories: ["web"], actions: [%s]}'
    registry = make_secured_registry(policy=f"rules:\n  - {rule % 'pull'}\n")
    prod = Client(registry, "prod")
    assert code_of(push_blob(prod, "web", b"x")) == (403, "DENIED")
    registry.policy_file.write_text(f"rules:\n  - {rule % 'pull, push'}\n")
    answer = wait_for(lambda: push_blob(prod, "web", b"x"), lambda each: each.status != 403)
    assert answer.status == 201, answer


def test_example_policy_decides_pulls_pushes_and_deletes(secured_registry, admin, ci, prod, anonymous):
    push_image(ci, "driftwood/web", "v1")
    push_image(ci, "driftwood/tools/lint", "v1")
    push_image(admin, "public/base", "v1")
    push_image(admin, "elsewhere/x", "v1")

    def pulls(client, repository):
        return client.request("GET", f"/v2/{repository}/manifests/v1", f"repository:{repository}:pull").status

    everything = ("driftwood/web", "driftwood/tools/lint", "public/base", "elsewhere/x")
    assert [pulls(admin, name) for name in everything] == [200, 200, 200, 200]
    assert [pulls(ci, name) for name in everything] == [200, 200, 200, 403]
    assert [pulls(prod, name) for name in everything] == [200, 403, 200, 403]
    assert [pulls(anonymous, name) for name in everything] == [401, 401, 200, 401]
    assert secured_registry.request("GET", "/v2/public/base/manifests/v1").status == 401, "its challenge names /token"
    assert push_blob(ci, "public/base", b"x").status == 403
    delete = ci.request("DELETE", "/v2/driftwood/web/manifests/v1", "repository:driftwood/web:delete")
    assert delete.status == 403
    delete = admin.request("DELETE", "/v2/driftwood/tools/lint/manifests/v1", "repository:driftwood/tools/lint:delete")
    assert delete.status == 202


def test_token_is_valid_only_for_its_repository(ci):
    push_image(ci, "driftwood/a", "v1")
    push_image(ci, "driftwood/a/b", "v1")
    token = ci.token("repository:driftwood/a:pull,push")
    assert ci.request("GET", "/v2/driftwood/a/manifests/v1", token=token).status == 200
    for path in ("driftwood/a/b", "driftwood/a%2Fb", "driftwood"):
        answer = ci.request("GET", f"/v2/{path}/manifests/v1", token=token)
        assert code_of(answer) == (401, "UNAUTHORIZED"), path
    for path, refusal in (("driftwood/a/b/../../a/b", (400, "NAME_INVALID")), ("driftwood//a", (404, "NAME_UNKNOWN"))):
        answer = ci.request("GET", f"/v2/{path}/manifests/v1", token=token)
        assert code_of(answer) == refusal, path


def test_sufficient_token_for_absent_repository_gets_404(ci):
    name = unique("driftwood/none")
    assert code_of(ci.request("GET", f"/v2/{name}/tags/list", f"repository:{name}:pull"))[0] == 404


def test_blob_of_another_repository_cannot_be_read_or_referenced(ci, admin):
    """Knowing the digest of a blob is not enough."""
    data = os.urandom(100)
    assert push_blob(admin, "secret/x", data).status == 201
    push_image(ci, "driftwood/web", "v1")
    for method in ("GET", "HEAD"):
        path = f"/v2/driftwood/web/blobs/{digest_of(data)}"
        assert ci.request(method, path, "repository:driftwood/web:pull").status == 404
    body = manifest_of(b"{}", [data])
    assert put_manifest(ci, "driftwood/web", "stolen", body).status == 404


def test_mount_needs_pull_on_its_source(ci, admin):
    data = os.urandom(100)
    assert push_blob(admin, "secret/x", data).status == 201
    path = f"/v2/driftwood/web/blobs/uploads/?mount={digest_of(data)}&from=secret/x"
    scopes = "repository:driftwood/web:pull,push repository:secret/x:pull"
    assert ci.request("POST", path, scopes, body=b"").status == 202
    twice = f"{path}&from=driftwood/web"
    assert code_of(ci.request("POST", twice, scopes, body=b"")) == (400, "NAME_INVALID")
    without_from = f"/v2/driftwood/web/blobs/uploads/?mount={digest_of(data)}"
    assert ci.request("POST", without_from, scopes, body=b"").status == 202
    assert ci.request("HEAD", f"/v2/driftwood/web/blobs/{digest_of(data)}", scopes).status == 404
    assert push_blob(ci, "driftwood/source", data).status == 201
    good = f"/v2/driftwood/web/blobs/uploads/?mount={digest_of(data)}&from=driftwood/source"
    scopes = "repository:driftwood/web:pull,push repository:driftwood/source:pull"
    assert ci.request("POST", good, scopes, body=b"").status == 201


def test_upload_session_of_another_account_gets_404(ci, admin):
    scope = "repository:driftwood/web:pull,push"
    location = ci.request("POST", "/v2/driftwood/web/blobs/uploads/", scope, body=b"").headers["Location"]
    assert admin.request("GET", location, scope).status == 404
    assert admin.request("PATCH", location, scope, body=b"x").status == 404
    assert admin.request("PUT", f"{location}?digest={digest_of(b'')}", scope, body=b"").status == 404
    assert admin.request("DELETE", location, scope).status == 404
    assert ci.request("PATCH", location, scope, body=b"x").status == 202


def test_immutable_tag_cannot_be_moved_or_deleted(ci, admin):
    repository, tag = "driftwood/web", unique("release-")
    digest = push_image(ci, repository, tag, "the release")
    scope = f"repository:{repository}:pull,push,delete"
    other = manifest_of(b"{}", [b"layer of the release"], annotations={"a": tag})
    for client in (ci, admin):
        answer = put_manifest(client, repository, tag, other)
        assert code_of(answer) == (403, "DENIED"), answer
        assert tag in answer.body.decode() or "release-*" in answer.body.decode()
    for reference in (tag, digest):
        assert code_of(admin.request("DELETE", f"/v2/{repository}/manifests/{reference}", scope)) == (403, "DENIED")
    assert push_image(ci, repository, tag, "the release") == digest, "a repeated push of the same image succeeds"
    assert ci.request("GET", f"/v2/{repository}/manifests/{tag}", scope).headers["Docker-Content-Digest"] == digest


def test_child_of_an_immutable_index_cannot_be_deleted(ci, admin):
    repository, tag = "driftwood/web", unique("release-")
    child = push_image(ci, repository, unique("child-"), tag)
    index_type = "application/vnd.oci.image.index.v1+json"
    body = admin.request("GET", f"/v2/{repository}/manifests/{child}", f"repository:{repository}:pull").body
    index = json.dumps({"schemaVersion": 2, "mediaType": index_type, "manifests": [
        {"mediaType": MANIFEST_TYPE, "digest": child, "size": len(body)}]}).encode()  # fmt: skip
    scope = f"repository:{repository}:pull,push,delete"
    answer = ci.request("PUT", f"/v2/{repository}/manifests/{tag}", scope, body=index,
                        headers={"Content-Type": index_type})  # fmt: skip
    assert answer.status == 201, answer
    assert code_of(admin.request("DELETE", f"/v2/{repository}/manifests/{child}", scope)) == (403, "DENIED")


def test_only_one_of_concurrent_pushes_gets_an_immutable_tag(make_secured_registry):
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


def test_create_only_tag_cannot_be_moved_or_deleted_by_its_subjects(make_secured_registry):
    registry = make_secured_registry(policy="""
administrators: [admin]
rules:
  - {name: all, subjects: [ci, nobody], repositories: ["**"], actions: [pull, push, delete]}
create_only_tags:
  - {name: nightly, subjects: [ci], repositories: ["nightly/**"], tags: ["*"]}
""")
    ci, nobody = Client(registry, "ci"), Client(registry, "nobody")
    push_image(ci, "nightly/web", "latest", "one")
    body = manifest_of(b"{}", [b"layer of one"], annotations={"x": "y"})
    assert code_of(put_manifest(ci, "nightly/web", "latest", body)) == (403, "DENIED")
    scope = "repository:nightly/web:pull,push,delete"
    assert code_of(ci.request("DELETE", "/v2/nightly/web/manifests/latest", scope)) == (403, "DENIED")
    assert put_manifest(nobody, "nightly/web", "latest", body).status == 201, "the rule applies only to its subjects"


def test_content_of_a_create_only_tag_cannot_be_deleted_by_its_subjects(make_secured_registry):
    registry = make_secured_registry(policy="""
administrators: [admin]
rules:
  - {name: all, subjects: [ci, nobody], repositories: ["**"], actions: [pull, push, delete]}
create_only_tags:
  - {name: nightly, subjects: [ci], repositories: ["nightly/**"], tags: ["n-*"]}
""")
    ci, nobody = Client(registry, "ci"), Client(registry, "nobody")
    scope = "repository:nightly/web:pull,push,delete"
    child = push_image(ci, "nightly/web", "amd64", "one")
    body = ci.request("GET", f"/v2/nightly/web/manifests/{child}", scope).body
    index_type = "application/vnd.oci.image.index.v1+json"
    index = json.dumps({"schemaVersion": 2, "mediaType": index_type, "manifests": [
        {"mediaType": MANIFEST_TYPE, "digest": child, "size": len(body)}]}).encode()  # fmt: skip
    answer = ci.request("PUT", "/v2/nightly/web/manifests/n-1", scope, body=index, headers={"Content-Type": index_type})
    assert answer.status == 201, answer
    layer = digest_of(b"layer of one")
    for path in (f"manifests/{digest_of(index)}", f"manifests/{child}", f"blobs/{layer}", f"blobs/{digest_of(b'{}')}"):
        assert code_of(ci.request("DELETE", f"/v2/nightly/web/{path}", scope)) == (403, "DENIED"), path
    assert ci.request("DELETE", "/v2/nightly/web/manifests/amd64", scope).status == 202, "the tag of the child goes"
    assert ci.request("GET", f"/v2/nightly/web/blobs/{layer}", scope).body == b"layer of one"
    assert nobody.request("DELETE", f"/v2/nightly/web/blobs/{layer}", scope).status == 202, "only its subjects"


def test_token_from_before_a_repository_was_deleted_is_refused(ci, admin):
    name = unique("driftwood/anew")
    push_image(ci, name, "v1", "old")
    scope = f"repository:{name}:pull,push"
    old = ci.token(scope)
    deleted = admin.request("DELETE", f"/entrepot/v1/repositories/{name}", "registry:administration:*")
    assert deleted.status == 200, deleted
    # Tokens contain their time of issue in whole seconds: a token of the same second as the deletion is refused too.
    answer = wait_for(lambda: ci.request("GET", f"/v2/{name}/manifests/v1", scope), lambda each: each.status != 401)
    assert answer.status == 404, answer
    push_image(admin, name, "v1", "new")
    answer = ci.request("GET", f"/v2/{name}/manifests/v1", token=old)
    assert answer.status == 401, answer
    assert challenge_of(answer)["error"] == "invalid_token"
    assert ci.request("GET", f"/v2/{name}/manifests/v1", scope).status == 200


def test_catalog_lists_only_repositories_that_the_caller_may_pull(ci, admin, prod, anonymous, secured_registry):
    push_image(ci, "driftwood/web", "v1")
    push_image(ci, "driftwood/catalog", "v1")
    push_image(admin, "elsewhere/x", "v1")
    push_image(admin, "public/base", "v1")

    def seen(client):
        repositories, path = [], "/v2/_catalog?n=2"
        for _ in range(100):
            answer = client.request("GET", path, "registry:catalog:*")
            assert answer.status == 200, answer
            repositories += answer.json()["repositories"]
            if answer.headers["Link"] is None:
                return set(repositories)
            path = answer.headers["Link"].partition("<")[2].partition(">")[0]
        raise AssertionError("more than 100 pages")

    assert {"driftwood/web", "driftwood/catalog", "elsewhere/x", "public/base"} <= seen(admin)
    assert seen(ci) >= {"driftwood/web", "driftwood/catalog", "public/base"} and "elsewhere/x" not in seen(ci)
    assert seen(prod) == {"driftwood/web", "public/base"}
    assert seen(anonymous) == {"public/base"}
    assert secured_registry.request("GET", "/v2/_catalog").status == 401


def test_disabled_deletes_are_405_for_tags_manifests_and_blobs(make_secured_registry):
    registry = make_secured_registry(config={"limits": {"deletes_disabled": True}})
    admin = Client(registry, "admin")
    digest = push_image(admin, "x/y", "v1")
    for reference in ("v1", digest):
        assert admin.request("DELETE", f"/v2/x/y/manifests/{reference}", "repository:x/y:delete").status == 405
    assert admin.request("DELETE", f"/v2/x/y/blobs/{digest_of(b'{}')}", "repository:x/y:delete").status == 405
    assert registry.request("DELETE", "/v2/x/y/manifests/v1").status == 405


def test_unknown_routes_and_methods_are_refused(secured_registry, admin):
    for path in ("/v2/x", "/v2/x/y/z", "/entrepot/v1/other", "/metrics", "/v2/_catalog/x", "/v1/search", "//v2/"):
        assert secured_registry.request("GET", path).status == 404
        assert admin.request("GET", path).status == 404
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
        assert secured_registry.request(method, "/v2/driftwood/web/tags/list").status == 405


def test_unauthorized_push_is_refused_before_its_body_is_sent(secured_registry):
    """With `Expect: 100-continue`, a client without a token gets 401 instead of 100."""
    answer = secured_registry.request("PUT", "/v2/driftwood/web/manifests/v1", body=b"",
                                      headers={"Expect": "100-continue", "Content-Type": CONFIG_TYPE})  # fmt: skip
    assert answer.status == 401

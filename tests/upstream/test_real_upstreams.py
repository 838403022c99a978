"""Upstreams that are real registries: Debian's docker-registry, and a second Entrepot with accounts."""

import json
import os

import pytest

from fixtures.accounts import PASSWORDS, Client
from fixtures.registry import Secured, start_registry
from fixtures.scratch import scratch
from fixtures.scripted_upstream import MANIFEST, Image, digest_of
from upstream.pulls import KIB, assert_not_found, get_manifest, hub, pull


def push_image(request, repository, layers, tag):
    """Pushes an image by request(method, path, ...) -> an Image."""

    def blob(data):
        digest = digest_of(data)
        answer = request("POST", f"/v2/{repository}/blobs/uploads/", body=b"")
        assert answer.status == 202, answer
        location = answer.headers["Location"]
        path = location[location.index("/v2/") :]
        answer = request("PUT", f"{path}{'&' if '?' in path else '?'}digest={digest}", body=data)
        assert answer.status == 201, answer
        return {"mediaType": "application/octet-stream", "digest": digest, "size": len(data)}

    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": blob(b"{}"), "layers": [blob(data) for data in layers]}
    body = json.dumps(manifest).encode()
    headers = {"Content-Type": MANIFEST}
    answer = request("PUT", f"/v2/{repository}/manifests/{tag}", body=body, headers=headers)
    assert answer.status == 201, answer
    digests = [each["digest"] for each in manifest["layers"]]
    return Image(repository, tag, digest_of(body), body, manifest["config"]["digest"], digests)


@pytest.fixture(scope="module")
def docker_registry(tmp_path_factory):
    with scratch(tmp_path_factory, "docker-registry") as directory:
        started = start_registry("peer", directory)
        yield started
        started.stop()


@pytest.fixture(scope="module")
def entrepot(tmp_path_factory):
    """A second Entrepot, with accounts and TLS."""
    with scratch(tmp_path_factory, "entrepot") as directory:
        started = start_registry("standalone", directory, secured=Secured())
        yield started
        started.stop()


def test_debians_registry(make_cache, docker_registry):
    image = push_image(docker_registry.request, "library/app", [os.urandom(300 * KIB), b"", os.urandom(10)], "v1")
    registry = make_cache(docker_registry, tag_ttl="0s")
    head = get_manifest(registry, "docker.io/app", "v1", method="HEAD")
    assert head.status == 200 and head.headers["Docker-Content-Digest"] == image.digest
    pull(registry, "docker.io/app", image)
    moved = push_image(docker_registry.request, "library/app", [os.urandom(10)], "v1")
    pull(registry, "docker.io/app", moved)
    assert registry.request("GET", "/v2/docker.io/app/tags/list").json()["tags"] == ["v1"]
    assert registry.request("GET", f"/v2/docker.io/app/referrers/{moved.digest}").json()["manifests"] == []
    assert_not_found(get_manifest(registry, "docker.io/app", "v2"))
    docker_registry.process.kill9()
    try:
        assert pull(registry, "docker.io/app", moved).headers["Warning"]
        pull(registry, "docker.io/app", image, image.digest)
    finally:
        docker_registry.start()


def entry(entrepot, account, password_file):
    password_file.write_text(PASSWORDS[account])
    password_file.chmod(0o600)
    return {
        "name": "other",
        "url": entrepot.url,
        "ca_file": str(entrepot.ca),
        "credentials": {"username": account, "password_file": str(password_file)},
    }


def test_an_entrepot_with_accounts(make_cache, entrepot, tmp_path):
    ci = Client(entrepot, "ci")
    token = ci.token("repository:driftwood/web:pull,push")

    def request(method, path, headers=None, **options):
        return entrepot.request(method, path, headers={"Authorization": f"Bearer {token}", **(headers or {})}, **options)

    image = push_image(request, "driftwood/web", [os.urandom(300 * KIB)], "v1")
    registry = make_cache(file={"upstreams": [entry(entrepot, "ci", tmp_path / "password")]})
    pull(registry, "other/driftwood/web", image)
    pull(registry, "driftwood/web", image, query="?ns=other")
    # An account that may pull nothing.
    stranger = make_cache(file={"upstreams": [entry(entrepot, "nobody", tmp_path / "nobody")]})
    answer = get_manifest(stranger, "other/driftwood/web", "v1")
    assert answer.status in (403, 404), answer


POLICY = """
rules:
  - subjects: [ci]
    repositories: ["docker.io/library/app"]
    actions: [pull]
"""


def test_who_may_pull_is_the_policy_on_the_cached_name(make_secured_registry, make_upstream):
    upstream = make_upstream()
    image = upstream.repository("library/app").add_image(os.urandom(KIB), tag="v1")
    hidden = upstream.repository("library/hidden").add_image(os.urandom(KIB), tag="v1")
    registry = make_secured_registry(upstreams={"upstreams": [hub(upstream)]}, policy=POLICY)
    ci, nobody = Client(registry, "ci"), Client(registry, "nobody")
    for repository, query in (("docker.io/library/app", ""), ("docker.io/app", ""), ("library/app", "?ns=docker.io")):
        anonymous = get_manifest(registry, repository, "v1", query)
        assert anonymous.status == 401, anonymous
        assert 'scope="repository:docker.io/library/app:pull"' in anonymous.headers["WWW-Authenticate"]
        # containerd asks for its own name of the repository too.
        token = ci.token("repository:library/app:pull", "repository:docker.io/library/app:pull")
        pull(registry, repository, image, query=query, headers={"Authorization": f"Bearer {token}"})
        token = nobody.token("repository:library/app:pull", "repository:docker.io/library/app:pull")
        denied = get_manifest(registry, repository, "v1", query, headers={"Authorization": f"Bearer {token}"})
        assert denied.status in (401, 403), denied
    token = ci.token("repository:docker.io/library/app:pull", "repository:docker.io/library/hidden:pull")
    denied = get_manifest(registry, "docker.io/library/hidden", hidden.digest, headers={"Authorization": f"Bearer {token}"})
    assert denied.status in (401, 403), denied
    assert upstream.count(path="/v2/library/hidden/.*") == 0
    assert upstream.count(authorization="Bearer") == 0
    assert "no violations" in registry.check_stopped()

"""Upstreams that are real registries: Debian's docker-registry, distribution version 3, and a second Entrepot with
accounts."""

import os
import re

import pytest

from fixtures.accounts import PASSWORDS, Client, basic
from fixtures.registry import Secured, start_registry
from fixtures.scratch import scratch
from upstream.distribution import distribution
from upstream.pulls import KIB, assert_not_found, assert_stale, get_manifest, hub, pull
from upstream.pushes import push_image


# The first test that needs distribution builds it.
pytestmark = pytest.mark.timeout(1800)

ACCOUNTS = {"puller": "puller's password"}


@pytest.fixture(scope="module", params=["docker-registry 2", "distribution 3"])
def real_upstream(request, tmp_path_factory):
    with scratch(tmp_path_factory, "upstream") as directory:
        if request.param == "distribution 3":
            with distribution(directory) as started:
                yield started
        else:
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


def test_an_image_and_its_changes(make_cache, real_upstream):
    image = push_image(real_upstream.request, "library/app", [os.urandom(300 * KIB), b"", os.urandom(10)], "v1")
    registry = make_cache(real_upstream, tag_ttl="0s")
    head = get_manifest(registry, "docker.io/app", "v1", method="HEAD")
    assert head.status == 200 and head.headers["Docker-Content-Digest"] == image.digest
    pull(registry, "docker.io/app", image)
    moved = push_image(real_upstream.request, "library/app", [os.urandom(10)], "v1")
    pull(registry, "docker.io/app", moved)
    assert registry.request("GET", "/v2/docker.io/app/tags/list").json()["tags"] == ["v1"]
    assert registry.request("GET", f"/v2/docker.io/app/referrers/{moved.digest}").json()["manifests"] == []
    assert_not_found(get_manifest(registry, "docker.io/app", "v2"))
    real_upstream.process.kill9()
    try:
        assert pull(registry, "docker.io/app", moved).headers["Warning"]
        pull(registry, "docker.io/app", image, image.digest)
    finally:
        real_upstream.start()


def test_an_image_that_is_deleted_goes_on_being_served(make_cache, real_upstream):
    image = push_image(real_upstream.request, "library/deleted", [os.urandom(KIB)], "v1")
    registry = make_cache(real_upstream, tag_ttl="0s", negative_ttl="0s")
    pull(registry, "docker.io/deleted", image)
    deleted = real_upstream.request("DELETE", f"/v2/library/deleted/manifests/{image.digest}")
    assert deleted.status == 202, deleted
    assert_stale(pull(registry, "docker.io/deleted", image))
    pull(registry, "docker.io/deleted", image, image.digest)


def test_all_pages_of_tags(make_cache, real_upstream):
    tags = [f"v{number:02}" for number in range(25)]
    for tag in tags:
        push_image(real_upstream.request, "library/tags", [b"one layer"], tag)
    registry = make_cache(real_upstream)
    found, path = [], "/v2/docker.io/tags/tags/list?n=10"
    while path:
        answer = registry.request("GET", path)
        assert answer.status == 200, answer
        found.append(answer.json()["tags"])
        path = re.match(r"<([^>]*)>|$", answer.headers["Link"] or "")[1]
    assert found == [tags[:10], tags[10:20], tags[20:]]


def test_distribution_with_accounts(make_cache, tmp_path):
    (tmp_path / "upstream").mkdir()
    with distribution(tmp_path / "upstream", ACCOUNTS) as upstream:
        credentials = {"Authorization": basic("puller", ACCOUNTS["puller"])}

        def request(method, path, headers=None, **options):
            return upstream.request(method, path, headers={**credentials, **(headers or {})}, **options)

        image = push_image(request, "team/app", [os.urandom(300 * KIB)], "v1")
        password = tmp_path / "password"
        password.write_text(ACCOUNTS["puller"])
        password.chmod(0o600)
        registry = make_cache(upstream, credentials={"username": "puller", "password_file": str(password)})
        pull(registry, "docker.io/team/app", image)
        refused = get_manifest(make_cache(upstream), "docker.io/team/app", "v1")
        assert refused.status in (403, 404), refused


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


def test_the_policy_on_the_cached_name_decides_who_may_pull(make_secured_registry, make_upstream):
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

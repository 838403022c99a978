"""Every way in which clients ask for an upstream's content names the same cached repository."""

import json
import os

import pytest

from fixtures.polling import wait_for
from fixtures.scripted_upstream import MANIFEST, digest_of
from upstream.pulls import (
    APP,
    KIB,
    assert_blob,
    assert_not_found,
    get_blob,
    get_manifest,
    hub,
    pull,
)


@pytest.fixture
def upstream(make_upstream):
    return make_upstream()


@pytest.fixture
def cache(make_cache, upstream):
    return make_cache(file={"upstreams": [hub(upstream)], "default_upstream": "docker.io"})


@pytest.fixture
def image(upstream):
    return upstream.repository("library/app").add_image(os.urandom(64 * KIB), b"small", tag="v1")


WAYS = {
    "prefix": (APP, ""),
    "prefix without library": ("docker.io/app", ""),
    "ns": ("library/app", "?ns=docker.io"),
    "ns without library": ("app", "?ns=docker.io"),
    "prefix and ns": (APP, "?ns=docker.io"),
    "ns in capitals": ("library/app", "?ns=Docker.IO"),
    "another name of the Hub": ("library/app", "?ns=registry-1.docker.io"),
    "the Hub's old name as a prefix": ("index.docker.io/library/app", ""),
    "default upstream": ("library/app", ""),
}


def test_an_image_is_pulled_each_way_whichever_way_came_first(cache, upstream):
    images = []
    for number, (repository, query) in enumerate(WAYS.values()):
        images.append(upstream.repository("library/app").add_image(os.urandom(KIB), tag=f"v{number}"))
        pull(cache, repository, images[-1], query=query)
        by_digest = get_manifest(cache, repository, images[-1].digest, query)
        assert by_digest.status == 200 and by_digest.body == images[-1].manifest
    # What was pulled one way is here for all others.
    upstream.stop()
    for image in images:
        for repository, query in WAYS.values():
            pull(cache, repository, image, image.digest, query)


def test_all_ways_ask_the_upstream_once(cache, upstream, image):
    for repository, query in WAYS.values():
        pull(cache, repository, image, query=query)
    for digest in image.blobs:
        assert upstream.count("GET", f".*/blobs/{digest}") == 1
    assert upstream.count("GET", ".*/manifests/.*") == 1
    assert {each.path.split("/manifests")[0].split("/blobs")[0] for each in upstream.find(path="/v2/.+")} == {"/v2/library/app"}
    catalog = cache.request("GET", "/v2/_catalog").json()["repositories"]
    assert catalog == [APP]


def test_a_host_that_is_not_configured_is_not_found_and_not_asked(cache, upstream, make_upstream, image):
    other = make_upstream("127.0.0.2")
    other.repository("library/app").add_image(b"other", tag="v1")
    upstream.forget()
    for ns in ("ghcr.io", other.authority, other.authority.replace(":", "%3A"), "docker.io.evil.example", "docker.io:8443"):
        for reference in ("v1", image.digest):
            assert_not_found(get_manifest(cache, "library/app", reference, f"?ns={ns}"))
            assert_not_found(get_manifest(cache, APP, reference, f"?ns={ns}"))
        assert_not_found(get_blob(cache, "library/app", image.layers[0], f"?ns={ns}"))
    assert other.connections == 0
    assert upstream.requests == []


def test_an_alias_may_have_a_port(make_cache, upstream, image):
    alias = "registry.example:5000"
    registry = make_cache(file={"upstreams": [{"name": "example", "url": upstream.url, "aliases": [alias]}]})
    pull(registry, "library/app", image, query=f"?ns={alias}")
    pull(registry, "library/app", image, query="?ns=registry.example%3A5000")
    pull(registry, "example/library/app", image)
    assert upstream.count("GET", ".*/blobs/" + image.layers[0]) == 1
    # Only the Hub has library/.
    assert_not_found(get_manifest(registry, "example/app", "v1"))
    assert_not_found(get_manifest(registry, "library/app", "v1"))


def test_only_allowed_repositories_are_asked_for(make_cache, upstream, image):
    upstream.repository("secret/app").add_image(b"secret", tag="v1")
    registry = make_cache(upstream, repositories=["library/*"])
    assert_not_found(get_manifest(registry, "docker.io/secret/app", "v1"))
    assert_not_found(get_manifest(registry, "secret/app", "v1", "?ns=docker.io"))
    assert upstream.connections == 0
    pull(registry, APP, image)


@pytest.mark.parametrize("repository, query", [(APP, ""), ("docker.io/app", ""), ("library/app", "?ns=docker.io")])
def test_a_push_to_a_cached_repository_is_refused(cache, upstream, image, repository, query):
    pull(cache, APP, image)
    pushes = [
        cache.request("PUT", f"/v2/{repository}/manifests/v2{query}", body=image.manifest, headers={"Content-Type": MANIFEST}),
        cache.request("POST", f"/v2/{repository}/blobs/uploads/{query}", body=b""),
    ]
    for answer in pushes:
        assert answer.status == 405, answer
        error = answer.json()["errors"][0]
        assert error["code"] == "UNSUPPORTED" and "docker.io" in error["message"], error
    assert_not_found(get_manifest(cache, APP, "v2"))
    # A mount from a cached repository into a hosted one copies nothing, and needs no fetch.
    mount = f"/v2/team/app/blobs/uploads/?mount={image.layers[0]}&from={APP}"
    assert cache.request("POST", mount, body=b"").status == 201
    assert upstream.count("GET", ".*/blobs/" + image.layers[0]) == 1


def push_hosted(registry, repository, layer):
    """-> the manifest's body."""

    def blob(data):
        digest = digest_of(data)
        answer = registry.request("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", body=data)
        assert answer.status == 201, answer
        return {"mediaType": "application/octet-stream", "digest": digest, "size": len(data)}

    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": blob(b"{}"), "layers": [blob(layer)]}
    body = json.dumps(manifest).encode()
    answer = registry.request("PUT", f"/v2/{repository}/manifests/v1", body=body, headers={"Content-Type": MANIFEST})
    assert answer.status == 201, answer
    return body


def test_hosted_repositories_have_nothing_to_do_with_upstreams(cache, upstream, image):
    # The default upstream has a repository of the same name.
    upstream.repository("team/app").add_image(b"of the upstream", tag="v1")
    upstream.repository("team/app").tags["v2"] = upstream.repository("team/app").tags["v1"]
    body = push_hosted(cache, "team/app", b"hosted layer")
    upstream.forget()
    assert get_manifest(cache, "team/app", "v1").body == body
    assert_blob(cache, "team/app", digest_of(b"hosted layer"))
    assert_not_found(get_manifest(cache, "team/app", "v2"))
    assert cache.request("GET", "/v2/team/app/tags/list").json()["tags"] == ["v1"]
    assert upstream.requests == []
    # Bytes that a hosted repository has are not content of a cached one that does not need them, and the reverse.
    assert_not_found(get_blob(cache, APP, digest_of(b"hosted layer")))
    pull(cache, APP, image)
    assert_not_found(get_blob(cache, "team/app", image.layers[0]))
    # By the upstream's name its repository can be had beside the hosted one.
    assert get_manifest(cache, "docker.io/team/app", "v2").status == 200
    assert get_manifest(cache, "team/app", "v1").body == body


def test_a_manifest_of_an_upstream_gives_no_access_to_hosted_bytes(cache, upstream):
    """An upstream can name any digest. That does not make a hosted blob one of the cached repository."""
    layer = os.urandom(64 * KIB)
    push_hosted(cache, "team/app", layer)
    image = upstream.repository("library/app").add_image(layer, tag="v1")
    del upstream.repository("library/app").blobs[image.layers[0]]
    assert get_manifest(cache, APP, "v1").status == 200
    assert_not_found(get_blob(cache, APP, image.layers[0]))
    assert get_blob(cache, APP, image.layers[0], method="HEAD").status == 404


def test_a_blob_of_two_repositories_of_an_upstream_is_fetched_once(cache, upstream):
    layer = os.urandom(64 * KIB)
    first = upstream.repository("library/app").add_image(layer, tag="v1")
    second = upstream.repository("library/other").add_image(layer, tag="v1")
    pull(cache, APP, first)
    pull(cache, "docker.io/library/other", second)
    assert upstream.count("GET", ".*/blobs/" + first.layers[0]) == 1


def test_a_pinned_tag_names_its_digest_whatever_the_upstream_has(make_cache, upstream, image):
    pin = {"repository": "library/app", "tag": "v1", "digest": image.digest}
    registry = make_cache(upstream, pins=[pin], tag_ttl="0s")
    upstream.repository("library/app").add_image(b"moved", tag="v1")
    pull(registry, APP, image, "v1")


def test_the_file_is_read_again_when_it_changes(make_cache, upstream, make_upstream, image):
    registry = make_cache(upstream)
    other = make_upstream("127.0.0.2")
    moved = other.repository("team/tool").add_image(b"tool", tag="v1")
    assert_not_found(get_manifest(registry, "quay.io/team/tool", "v1"))
    registry.write_upstreams({"upstreams": [hub(upstream), {"name": "quay.io", "url": other.url}]})
    wait_for(lambda: get_manifest(registry, "quay.io/team/tool", "v1").status == 200)
    pull(registry, "quay.io/team/tool", moved)
    # A file that cannot be used changes nothing.
    registry.write_upstreams({"upstreams": [{"name": "Not A Name", "url": "ftp://x"}]})
    wait_for(lambda: registry.metrics().total("entrepot_upstreams_reloads_total", result="failure"))
    pull(registry, APP, image)


def test_one_upstream_is_not_another(make_cache, upstream, make_upstream):
    first = upstream.repository("library/app").add_image(b"first", tag="v1")
    other = make_upstream("127.0.0.2")
    second = other.repository("library/app").add_image(b"second", tag="v1")
    registry = make_cache(file={"upstreams": [hub(upstream), {"name": "quay.io", "url": other.url}]})
    pull(registry, APP, first)
    pull(registry, "quay.io/library/app", second)
    assert_not_found(get_manifest(registry, APP, second.digest))
    assert_not_found(get_blob(registry, APP, second.layers[0]))

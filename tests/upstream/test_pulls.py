"""What upstreams hold is served as they hold it, whatever part of it is asked for first."""

import json
import os

import pytest

from fixtures.scripted_upstream import INDEX, MANIFEST, Gate, digest_of, first_byte, held, until_the_end, without
from upstream.pulls import (
    KIB,
    MIB,
    assert_blob,
    assert_not_found,
    assert_unavailable,
    blobs,
    get_blob,
    get_manifest,
    manifests,
    pull,
)


@pytest.fixture
def repository(upstream):
    return upstream.repository("library/app")


@pytest.fixture
def image(repository):
    return repository.add_image(os.urandom(64 * KIB), os.urandom(100), tag="v1")


def test_head_of_an_unknown_tag_has_type_length_and_digest(cache, app, upstream, repository, image):
    index = repository.add_index(image.digest, tag="multi")
    for reference, digest, media_type in (("v1", image.digest, MANIFEST), ("multi", index, INDEX), (index, index, INDEX)):
        answer = get_manifest(cache, app, reference, method="HEAD")
        assert answer.status == 200, answer
        assert answer.headers["Docker-Content-Digest"] == digest
        assert answer.headers["Content-Type"] == media_type
        assert int(answer.headers["Content-Length"]) == len(repository.manifests[digest][1])
    # The upstream counts GETs of manifests, not HEADs.
    assert upstream.count("GET", manifests()) == 0
    assert upstream.count("GET", blobs()) == 0


def test_head_of_a_blob_fetches_nothing(cache, app, upstream, image):
    answer = get_blob(cache, app, image.layers[0], method="HEAD")
    assert answer.status == 200, answer
    assert int(answer.headers["Content-Length"]) == 64 * KIB
    assert answer.headers["Docker-Content-Digest"] == image.layers[0]
    assert upstream.count("GET", blobs()) == 0


def test_a_blob_is_had_without_its_manifest(cache, app, upstream, image):
    assert_blob(cache, app, image.layers[0])
    assert_blob(cache, app, image.layers[0])
    assert upstream.count("GET", blobs(image.layers[0])) == 1
    assert upstream.count(path=manifests()) == 0
    pull(cache, app, image)
    assert upstream.count("GET", blobs(image.layers[0])) == 1


def test_a_part_of_a_blob_that_is_not_here(cache, app, upstream, repository):
    layer = os.urandom(MIB)
    image = repository.add_image(layer, tag="v1")
    for first, last in ((0, 99), (5000, 70000), (MIB - 10, MIB - 1)):
        answer = get_blob(cache, app, image.layers[0], headers={"Range": f"bytes={first}-{last}"})
        assert answer.status == 206, answer
        assert answer.body == layer[first : last + 1]
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{MIB}"
    answer = get_blob(cache, app, image.layers[0], headers={"Range": "bytes=-16"})
    assert answer.status == 206 and answer.body == layer[-16:]
    answer = get_blob(cache, app, image.layers[0], headers={"Range": f"bytes={MIB}-"})
    assert answer.status == 416, answer
    assert_blob(cache, app, image.layers[0])


def test_a_range_far_ahead_does_not_wait_for_the_fetch(cache, app, upstream, repository):
    layer = os.urandom(4 * MIB)
    digest = repository.add_image(layer, tag="v1").layers[0]
    gate = Gate()
    upstream.rule(blobs(digest), held(gate, at=512 * KIB), "GET")
    first = 3 * MIB
    answer = get_blob(cache, app, digest, headers={"Range": f"bytes={first}-{first + 999}"})
    assert answer.status == 206, answer
    assert answer.body == layer[first : first + 1000]
    gate.open()
    assert_blob(cache, app, digest)
    # What the second request brought is not stored: the fetch has brought all bytes.
    assert sorted(first_byte(each) for each in upstream.find("GET", blobs(digest))) == [0, first]


def test_an_index_of_which_one_platform_is_here(cache, app, upstream, repository, image):
    other = repository.add_image(os.urandom(KIB), architecture="arm64")
    index = repository.add_index(image.digest, other.digest, tag="multi")
    answer = get_manifest(cache, app, "multi")
    assert answer.status == 200 and answer.body == repository.manifests[index][1]
    pull(cache, app, image, image.digest)
    upstream.stop()
    assert get_manifest(cache, app, index).status == 200
    assert get_manifest(cache, app, "multi").status == 200
    pull(cache, app, image, image.digest)
    assert_unavailable(get_manifest(cache, app, other.digest))
    upstream.start()
    pull(cache, app, other, other.digest)


def test_manifests_that_a_push_would_not_get_past_the_checks(cache, app, repository, image):
    wrong_sizes = repository.add_index(image.digest, tag="sizes", sizes_are_wrong=True)
    artifact = repository.add_manifest(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": "any thing/of+any form; x=1",
            "config": repository.descriptor("application/vnd.oci.empty.v1+json", repository.add_blob(b"{}")),
            "layers": [{"mediaType": "text/plain", "digest": digest_of(b"nowhere"), "size": 7}],
        },
        "artifact",
    )
    for tag, digest in (("sizes", wrong_sizes), ("artifact", artifact)):
        answer = get_manifest(cache, app, tag)
        assert answer.status == 200, answer
        assert answer.body == repository.manifests[digest][1]
    assert_not_found(get_blob(cache, app, digest_of(b"nowhere")))


def test_docker_media_types_are_served_as_they_are(cache, app, repository):
    media_type = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": repository.descriptor("application/vnd.docker.container.image.v1+json", repository.add_blob(b"{}")),
        "layers": [],
    }
    digest = repository.add_manifest(manifest, "docker")
    for reference in ("docker", digest):
        answer = get_manifest(cache, app, reference)
        assert answer.status == 200, answer
        assert answer.headers["Content-Type"] == media_type
        assert answer.headers["Docker-Content-Digest"] == digest == digest_of(answer.body)


MISSING = {
    "no length": without("Content-Length"),
    "no digest": without("Docker-Content-Digest"),
    "neither": without("Content-Length", "Docker-Content-Digest"),
    "no length and no chunks": until_the_end,
}


@pytest.mark.parametrize("missing", MISSING)
def test_headers_that_an_upstream_leaves_out_do_not_matter(cache, app, upstream, image, missing):
    upstream.rule(".*", MISSING[missing])
    answer = get_manifest(cache, app, "v1", method="HEAD")
    assert answer.status == 200, answer
    assert answer.headers["Docker-Content-Digest"] == image.digest
    assert int(answer.headers["Content-Length"]) == len(image.manifest)
    pull(cache, app, image)
    pull(cache, app, image)
    assert upstream.count("GET", blobs(image.layers[0])) == 1


def test_an_empty_blob_is_a_blob(cache, app, upstream, repository):
    image = repository.add_image(b"", tag="v1")
    pull(cache, app, image)
    pull(cache, app, image)
    assert upstream.count("GET", blobs(image.layers[0])) == 1


def test_what_the_upstream_does_not_have_is_not_found(cache, app, upstream, image):
    assert_not_found(get_manifest(cache, app, "v2"))
    assert_not_found(get_manifest(cache, app, digest_of(b"?")))
    assert_not_found(get_blob(cache, app, digest_of(b"?")))
    assert_not_found(get_manifest(cache, f"{upstream.name}/library/nothing", "v1"))
    assert_not_found(get_manifest(cache, "library/app", "v2", f"?ns={upstream.name}"))
    # It is remembered for a while.
    upstream.forget()
    assert_not_found(get_manifest(cache, app, "v2"))
    assert upstream.count(path=manifests("v2")) == 0
    catalog = cache.request("GET", "/v2/_catalog").json()["repositories"]
    assert f"{upstream.name}/library/nothing" not in catalog


def test_tags_are_those_of_the_upstream(cache, app, upstream, repository, image):
    for number in range(7):
        repository.tags[f"t{number}"] = image.digest
    upstream.page = 3
    expected = sorted(repository.tags)
    for name, query in ((app, ""), ("library/app", f"ns={upstream.name}")):
        answer = cache.request("GET", f"/v2/{name}/tags/list?{query}")
        assert answer.status == 200, answer
        assert answer.json()["tags"] == expected
        page = cache.request("GET", f"/v2/{name}/tags/list?n=2&last=t1&{query}")
        assert page.json()["tags"] == ["t2", "t3"]
        assert 'rel="next"' in page.headers["Link"]
    pull(cache, app, image)
    upstream.stop()
    # The list that was read before, or the tags that are here.
    assert "v1" in cache.request("GET", f"/v2/{app}/tags/list").json()["tags"]


@pytest.mark.parametrize("api", [True, False], ids=["referrers API", "tag scheme"])
def test_signatures_are_found_through_the_cache(cache, app, upstream, repository, image, api):
    upstream.has_referrers_api = api
    signature = repository.add_manifest(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json",
            "config": repository.descriptor("application/vnd.oci.empty.v1+json", repository.add_blob(b"{}")),
            "layers": [repository.descriptor("application/octet-stream", repository.add_blob(b"a signature"))],
            "subject": repository.descriptor(MANIFEST, image.digest),
        }
    )
    if not api:
        repository.add_index(signature, tag=image.digest.replace(":", "-"))
    pull(cache, app, image)
    answer = cache.request("GET", f"/v2/{app}/referrers/{image.digest}")
    assert answer.status == 200 and answer.headers["Content-Type"] == INDEX, answer
    assert [each["digest"] for each in answer.json()["manifests"]] == [signature]
    found = get_manifest(cache, app, signature)
    assert found.body == repository.manifests[signature][1]
    assert_blob(cache, app, json.loads(found.body)["layers"][0]["digest"])
    # cosign's own scheme: a tag of the subject's digest.
    repository.tags[image.digest.replace(":", "-") + ".sig"] = signature
    assert get_manifest(cache, app, image.digest.replace(":", "-") + ".sig").body == found.body
    nothing = cache.request("GET", f"/v2/{app}/referrers/{digest_of(b'?')}")
    assert nothing.status == 200 and nothing.json()["manifests"] == []
    upstream.stop()
    answer = cache.request("GET", f"/v2/{app}/referrers/{image.digest}")
    assert [each["digest"] for each in answer.json()["manifests"]] == [signature]


def test_a_second_pull_asks_the_upstream_for_nothing(cache, app, upstream, image):
    pull(cache, app, image)
    asked = len(upstream.requests)
    for _ in range(3):
        pull(cache, app, image)
        assert get_manifest(cache, app, "v1", method="HEAD").status == 200
        assert get_blob(cache, app, image.layers[0], method="HEAD").status == 200
    assert len(upstream.requests) == asked


def test_what_was_pulled_is_here_after_a_restart(cache, app, upstream, image):
    pull(cache, app, image)
    asked = len(upstream.requests)
    cache.restart()
    pull(cache, app, image)
    # The tag is still trusted too.
    assert len(upstream.requests) == asked


def test_metrics_of_a_pull_name_the_upstream(cache, app, upstream, image):
    pull(cache, app, image)
    service = "upstream" if cache.mode == "split" else None
    ours = {name for name in cache.metrics(service).names() if name.startswith("entrepot_upstream")}
    assert cache.metrics(service).total("entrepot_upstreams_reloads_total", result="success") >= 1
    assert len(ours) > 2, ours

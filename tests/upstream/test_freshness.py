"""Tags are trusted for their time, then confirmed by a HEAD, and served as stale while the upstream fails."""

import os
import time

import pytest

from fixtures.polling import wait_for
from fixtures.scripted_upstream import BasicAuthentication, dropped, failing, rate_limited
from upstream.pulls import (
    APP,
    KIB,
    assert_not_found,
    assert_stale,
    assert_unavailable,
    blobs,
    get_manifest,
    hub,
    in_parallel,
    manifests,
    pull,
)

# A hosted pull takes milliseconds; a time-out takes ten seconds and more.
QUICK = 5


def upstream_fields(directory):
    """Each request for a tag asks the upstream."""
    return {"tag_ttl": "0s", "negative_ttl": "0s"}


@pytest.fixture
def image(upstream):
    return upstream.repository("library/app").add_image(os.urandom(64 * KIB), os.urandom(100), tag="v1")


def test_after_its_time_a_tag_is_confirmed_by_one_head(make_cache, upstream, image):
    registry = make_cache(upstream, tag_ttl="1s")
    pull(registry, APP, image)
    upstream.forget()
    wait_for(lambda: pull(registry, APP, image) and upstream.requests)
    assert [(each.method, each.path) for each in upstream.requests] == [("HEAD", "/v2/library/app/manifests/v1")]
    accepted = ",".join(upstream.requests[0].headers.get_all("Accept"))
    for media_type in (
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ):
        assert media_type in accepted


def test_a_tag_that_moved_is_followed(cache, app, upstream, image):
    pull(cache, app, image)
    moved = upstream.repository("library/app").add_image(os.urandom(KIB), tag="v1")
    pull(cache, app, moved)
    assert get_manifest(cache, app, "v1", method="HEAD").headers["Docker-Content-Digest"] == moved.digest
    # What was here stays here.
    upstream.stop()
    pull(cache, app, image, image.digest)


def test_a_digest_is_never_asked_for_again(cache, app, upstream, image):
    pull(cache, app, image)
    upstream.forget()
    pull(cache, app, image, image.digest)
    assert upstream.requests == []


def test_a_head_of_a_tag_that_is_here_is_confirmed_too(cache, app, upstream, image):
    pull(cache, app, image)
    upstream.forget()
    answer = get_manifest(cache, app, "v1", method="HEAD")
    assert answer.status == 200 and answer.headers["Docker-Content-Digest"] == image.digest
    assert [each.method for each in upstream.requests] == ["HEAD"]


def test_with_the_upstream_gone_what_is_here_is_served_quickly(cache, app, upstream, image):
    pull(cache, app, image)
    upstream.stop()
    for _ in range(3):
        began = time.monotonic()
        assert_stale(pull(cache, app, image))
        assert_stale(get_manifest(cache, app, "v1", method="HEAD"))
        assert time.monotonic() - began < QUICK
    answer = pull(cache, app, image, image.digest)
    assert answer.headers["Warning"] is None, "a digest is never stale"
    # What is not here is refused as quickly, and may be asked for again.
    began = time.monotonic()
    assert_unavailable(get_manifest(cache, app, "v2"))
    assert time.monotonic() - began < QUICK
    upstream.start()
    wait_for(lambda: pull(cache, app, image).headers["Warning"] is None)


def test_an_upstream_that_never_answers_holds_up_no_pull(cache, app, upstream, image):
    pull(cache, app, image)
    gate = upstream.hold(".*", method=None)
    assert_stale(pull(cache, app, image))
    # The first pull waited for seconds. Others do not, neither while that request hangs nor when it has failed.
    for _ in range(3):
        began = time.monotonic()
        assert_stale(pull(cache, app, image))
        pull(cache, app, image, image.digest)
        assert time.monotonic() - began < 2
    gate.open()
    wait_for(lambda: pull(cache, app, image).headers["Warning"] is None, seconds=40)


def test_an_upstream_that_is_gone_serves_all_ways(make_cache, upstream, image):
    registry = make_cache(file={"upstreams": [hub(upstream, tag_ttl="0s")], "default_upstream": "docker.io"})
    pull(registry, APP, image)
    upstream.stop()
    for repository, query in ((APP, ""), ("library/app", "?ns=docker.io"), ("library/app", "")):
        assert_stale(pull(registry, repository, image, query=query))


FAILURES = {
    "429 of Docker": rate_limited("docker"),
    "429 of the IETF's drafts": rate_limited("ietf"),
    "429 with X-RateLimit": rate_limited("x"),
    "500": failing(500),
    "502": failing(502),
    "503": failing(503),
    "504": failing(504),
    "no answer": dropped,
    "404": failing(404),
    "403": failing(403),
    "a page in place of a registry": failing(200),
}


def with_each(failures, take_upstream, check):
    """Runs check(its failure, an upstream, the name of its library/app, an image of it) for all failures at the same time."""
    cases = [(do, take_upstream()) for do in failures]

    def run(number):
        do, upstream = cases[number]
        image = upstream.repository("library/app").add_image(os.urandom(64 * KIB), tag="v1")
        check(do, upstream, f"{upstream.name}/library/app", image)

    in_parallel(len(cases), run)


def test_a_tag_is_served_as_stale_while_the_upstream_fails(cache, take_upstream):
    def check(failure, upstream, app, image):
        pull(cache, app, image)
        upstream.rule(".*", failure)
        began = time.monotonic()
        assert_stale(pull(cache, app, image))
        assert_stale(get_manifest(cache, app, "v1", method="HEAD"))
        assert time.monotonic() - began < QUICK
        upstream.clear_rules()
        wait_for(lambda: get_manifest(cache, app, "v1").headers["Warning"] is None)

    with_each(FAILURES.values(), take_upstream, check)


def test_what_is_not_here_is_unavailable_while_the_upstream_fails(cache, take_upstream):
    def check(failure, upstream, app, image):
        upstream.rule(".*", failure)
        assert_unavailable(get_manifest(cache, app, "v1"))
        assert get_manifest(cache, app, "v1", method="HEAD").status == 503
        assert_unavailable(get_manifest(cache, app, image.digest))
        upstream.clear_rules()
        wait_for(lambda: get_manifest(cache, app, "v1").status == 200)
        pull(cache, app, image)

    with_each([do for name, do in FAILURES.items() if name not in ("404", "403")], take_upstream, check)


def test_an_image_that_the_upstream_has_deleted_goes_on_being_served(cache, app, upstream, image):
    pull(cache, app, image)
    repository = upstream.repository("library/app")
    repository.tags.clear()
    repository.manifests.clear()
    repository.blobs.clear()
    # A HEAD that finds nothing empties nothing.
    assert_stale(get_manifest(cache, app, "v1", method="HEAD"))
    assert_stale(pull(cache, app, image))
    pull(cache, app, image, image.digest)
    assert_not_found(get_manifest(cache, app, "v2"))


def test_an_image_that_the_upstream_has_hidden_goes_on_being_served(cache, app, upstream, image):
    pull(cache, app, image)
    upstream.require(BasicAuthentication("somebody", "else"))
    assert_stale(pull(cache, app, image))
    denied = get_manifest(cache, app, "v2")
    assert denied.status in (403, 404), denied


def test_a_stale_tag_is_served_for_its_time_only(make_cache, upstream, image):
    registry = make_cache(upstream, tag_ttl="0s", stale_max="1s")
    pull(registry, APP, image)
    upstream.stop()
    wait_for(lambda: get_manifest(registry, APP, "v1").status == 503)
    pull(registry, APP, image, image.digest)


def test_a_stale_tag_is_served_at_once_while_it_is_confirmed(make_cache, upstream, image):
    registry = make_cache(upstream, tag_ttl="0s", stale_while_revalidate="1h")
    pull(registry, APP, image)
    moved = upstream.repository("library/app").add_image(b"moved", tag="v1")
    gate = upstream.hold(manifests("v1"), method="HEAD")
    began = time.monotonic()
    assert get_manifest(registry, APP, "v1").headers["Docker-Content-Digest"] == image.digest
    assert time.monotonic() - began < QUICK
    gate.open()
    wait_for(lambda: get_manifest(registry, APP, "v1").headers["Docker-Content-Digest"] == moved.digest)


def test_many_requests_for_a_tag_share_one_head(cache, app, upstream, image):
    pull(cache, app, image)
    upstream.forget()
    gate = upstream.hold(manifests("v1"), method="HEAD")

    def ask(number):
        if number < 20:
            return get_manifest(cache, app, "v1").status
        wait_for(lambda: cache.metrics().total("entrepot_http_requests_in_flight") >= 20)
        gate.open()
        return 200

    assert in_parallel(21, ask) == [200] * 21
    # A request may have reached the gateway, and the service only after the answer.
    assert 1 <= upstream.count("HEAD") <= 3
    assert upstream.count("GET", manifests()) == 0
    assert upstream.count("GET", blobs()) == 0


def test_a_tag_that_appears_is_found_when_its_absence_is_forgotten(make_cache, upstream, image):
    registry = make_cache(upstream, negative_ttl="1s")
    assert_not_found(get_manifest(registry, APP, "v2"))
    upstream.repository("library/app").tags["v2"] = image.digest
    wait_for(lambda: get_manifest(registry, APP, "v2").status == 200)

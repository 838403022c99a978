"""Blobs from upstreams that break off, stall or send other bytes: a body that is wrong is never stored and never looks
whole; a body that breaks off is resumed without the client noticing."""

import os

import pytest

from fixtures.polling import wait_for
from fixtures.scripted_upstream import (
    Answer,
    Gate,
    dropped,
    empty,
    failing,
    first_byte,
    other_bytes,
    rate_limited,
    redirected,
    trickled,
    truncated,
    truncated_at,
)
from upstream.pulls import (
    KIB,
    MIB,
    PartialPull,
    assert_blob,
    assert_unavailable,
    blobs,
    get_blob,
    get_manifest,
    in_parallel,
    manifests,
    pull,
    whole_body_or_none,
)

SIZE = MIB


def upstream_fields(directory):
    """Each request for a tag asks the upstream."""
    return {"tag_ttl": "0s", "negative_ttl": "0s"}


@pytest.fixture
def image(upstream):
    return upstream.repository("library/app").add_image(os.urandom(SIZE), tag="v1")


@pytest.fixture
def layer(image):
    return image.layers[0]


def fetches(upstream, digest):
    """The first byte that each GET of the blob asked for."""
    return [first_byte(each) for each in upstream.find("GET", blobs(digest))]


@pytest.mark.parametrize("after", [0, 1, SIZE // 2, SIZE - 1])
def test_a_fetch_that_breaks_off_is_resumed(cache, app, upstream, layer, after):
    upstream.rule(blobs(layer), truncated(after), "GET", times=1)
    assert_blob(cache, app, layer)
    assert fetches(upstream, layer) == [0, after]


def test_a_fetch_that_breaks_off_ten_times_is_resumed_ten_times(cache, app, upstream, image, layer):
    upstream.rule(blobs(layer), truncated(SIZE // 11), "GET", times=10)
    pull(cache, app, image)
    assert fetches(upstream, layer) == [number * (SIZE // 11) for number in range(11)]
    pull(cache, app, image)
    assert len(fetches(upstream, layer)) == 11


def test_an_upstream_without_ranges_is_resumed_from_the_start(cache, app, upstream, layer):
    upstream.ranges = False
    upstream.rule(blobs(layer), truncated(SIZE // 2), "GET", times=1)
    assert_blob(cache, app, layer)
    assert len(fetches(upstream, layer)) == 2


def test_a_fetch_resumes_after_a_failure_in_the_middle(cache, app, upstream, layer):
    upstream.rule(blobs(layer), failing(503), "GET", times=1)
    upstream.rule(blobs(layer), truncated(SIZE // 2), "GET", times=1)
    assert_blob(cache, app, layer)


def wrong_range(request, answer):
    """206 with the bytes of another place."""
    if answer.status == 206:
        answer.having("Content-Range", f"bytes 0-{len(answer.body) - 1}/{SIZE}")
    return answer


def too_long(request, answer):
    answer.body += b"more"
    return answer


def a_page(request, answer):
    return Answer(200, [("Content-Type", "text/html")], b"<html>log in first</html>")


def cut_for_ever(request, answer):
    return truncated_at(SIZE // 2)(request, answer)


def short(request, answer):
    """A whole answer with half of the bytes."""
    answer.body = answer.body[: len(answer.body) // 2]
    return answer


WRONG = {
    "other bytes": other_bytes,
    "an empty body": empty,
    "a short body": short,
    "a body that is too long": too_long,
    "a page": a_page,
    "a connection that breaks off at the same byte each time": cut_for_ever,
    "a connection that breaks off at once each time": dropped,
    "503": failing(503),
    "429": rate_limited("docker"),
}


def test_wrong_content_never_looks_complete_and_is_fetched_again(cache, take_upstream):
    cases = [(name, do, take_upstream()) for name, do in WRONG.items()]

    def check(number):
        name, do, upstream = cases[number]
        app = f"{upstream.name}/library/app"
        image = upstream.repository("library/app").add_image(os.urandom(SIZE), tag="v1")
        path = f"/v2/{app}/blobs/{image.layers[0]}"
        assert get_manifest(cache, app, "v1").status == 200
        upstream.rule(blobs(image.layers[0]), do, "GET")
        assert whole_body_or_none(cache, path) is None, name
        assert whole_body_or_none(cache, path) is None, name
        upstream.clear_rules()
        upstream.forget()
        wait_for(lambda: whole_body_or_none(cache, path))
        assert upstream.count("GET", blobs(image.layers[0])) >= 1, name
        pull(cache, app, image)

    in_parallel(len(cases), check)


def test_wrong_bytes_reach_no_repository_and_no_second_upstream(cache, app, upstream, layer):
    upstream.rule(blobs(layer), other_bytes, "GET")
    whole_body_or_none(cache, f"/v2/{app}/blobs/{layer}")
    upstream.rule(blobs(layer), failing(404), None)
    assert get_blob(cache, app, layer, method="HEAD").status in (404, 503)
    mount = f"/v2/team/app/blobs/uploads/?mount={layer}&from={app}"
    assert cache.request("POST", mount, body=b"").status == 202


def test_a_resumption_with_bytes_of_another_place_is_not_believed(cache, app, upstream, layer):
    upstream.rule(blobs(layer), wrong_range, "GET")
    upstream.rule(blobs(layer), truncated(SIZE // 2), "GET", times=1)
    body = whole_body_or_none(cache, f"/v2/{app}/blobs/{layer}")
    assert body is None or len(body) == SIZE
    upstream.clear_rules()
    wait_for(lambda: whole_body_or_none(cache, f"/v2/{app}/blobs/{layer}"))
    assert_blob(cache, app, layer)


def test_a_trickle_reaches_the_client_as_it_arrives(cache, app, upstream, layer):
    gate = Gate()
    upstream.rule(blobs(layer), trickled(gate, 64 * KIB), "GET")
    gate.let(1)
    client = PartialPull(cache, app, layer)
    # The first piece is here although the upstream has sent no second one.
    client.read(1000)
    for _ in range(4):
        gate.let(1)
        client.read(60 * KIB)
    gate.open()
    assert client.read_rest()


@pytest.mark.parametrize("kind", ["manifest", "blob"])
def test_a_redirect_to_itself_ends(cache, app, upstream, image, layer, kind):
    path = manifests("v1") if kind == "manifest" else blobs(layer)
    upstream.rule(path, redirected(lambda request: upstream.url + request.path))
    answer = get_manifest(cache, app, "v1") if kind == "manifest" else get_blob(cache, app, layer, method="HEAD")
    assert answer.status == 503, answer
    assert upstream.count(path=path) < 40
    upstream.clear_rules()
    wait_for(lambda: get_manifest(cache, app, "v1").status == 200)


def test_a_manifest_with_other_bytes_is_not_stored(cache, app, upstream, image):
    upstream.rule(manifests(image.digest), other_bytes, "GET")
    assert_unavailable(get_manifest(cache, app, image.digest))
    upstream.clear_rules()
    wait_for(lambda: get_manifest(cache, app, image.digest).status == 200)
    pull(cache, app, image, image.digest)


NO_MANIFESTS = {
    "a page": failing(200),
    "a redirect to a page": None,
    "no JSON": lambda request, answer: Answer(200, [("Content-Type", "application/vnd.oci.image.manifest.v1+json")], b"{"),
    "a manifest that never ends": lambda request, answer: Answer(200, answer.headers, b"[" * (32 * MIB)),
}


@pytest.mark.parametrize("what", NO_MANIFESTS)
def test_what_is_no_manifest_is_not_stored(cache, app, upstream, make_upstream, image, what):
    do = NO_MANIFESTS[what]
    if do is None:
        other = make_upstream("127.0.0.2")
        other.rule(".*", failing(200))
        do = redirected(other.url + "/page")
    upstream.rule(manifests(), do)
    answer = get_manifest(cache, app, "v1")
    if answer.status == 400:
        assert answer.json()["errors"][0]["code"] == "MANIFEST_INVALID" and what == "no JSON"
    else:
        assert_unavailable(answer)
    assert cache.request("GET", f"/v2/{app}/tags/list").status in (200, 404, 503)
    upstream.clear_rules()
    wait_for(lambda: get_manifest(cache, app, "v1").status == 200)
    pull(cache, app, image)

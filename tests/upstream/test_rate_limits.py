"""429 and what is left of an upstream's limit."""

import os
import time

import pytest

from fixtures.polling import wait_for
from fixtures.scripted_upstream import rate_limited
from upstream.pulls import KIB, assert_unavailable, blobs, get_blob, get_manifest, manifests, pull


def upstream_fields(directory):
    """Each request for a tag asks the upstream."""
    return {"tag_ttl": "0s", "negative_ttl": "0s"}


@pytest.fixture
def repository(upstream):
    return upstream.repository("library/app")


@pytest.fixture
def image(repository):
    return repository.add_image(os.urandom(KIB), tag="v1")


# Seconds, and the time of day in whole seconds.
@pytest.mark.parametrize("form, seconds", [("ietf", 2), ("x", 1)])
def test_retry_after_is_honoured(cache, app, upstream, repository, image, form, seconds):
    other = repository.add_image(os.urandom(KIB), tag="v2")
    pull(cache, app, image)
    upstream.rule(manifests(), rate_limited(form), "GET", times=1)
    began = time.monotonic()
    assert_unavailable(get_manifest(cache, app, "v2"))
    upstream.forget()
    # Not asked again before its time, for nothing of that kind.
    assert_unavailable(get_manifest(cache, app, other.digest))
    assert upstream.count("GET", manifests()) == 0
    # Heads do not count, so tags are still confirmed.
    assert get_manifest(cache, app, "v1").headers["Warning"] is None
    assert upstream.count("HEAD", manifests("v1")) == 1
    wait_for(lambda: get_manifest(cache, app, "v2").status == 200)
    assert time.monotonic() - began >= seconds - 0.1
    pull(cache, app, other)


def test_a_limit_of_blobs_leaves_manifests_alone(cache, app, upstream, repository, image):
    upstream.rule(blobs(), rate_limited("ietf"), "GET", times=1)
    assert get_manifest(cache, app, "v1").status == 200
    assert_unavailable(get_blob(cache, app, image.layers[0]))
    other = repository.add_image(os.urandom(KIB), tag="v2")
    assert get_manifest(cache, app, "v2").status == 200
    wait_for(lambda: get_blob(cache, app, image.layers[0]).status == 200)
    pull(cache, app, other)


LEFT = {
    "Docker": [("RateLimit-Limit", "100;w=21600"), ("RateLimit-Remaining", "76;w=21600")],
    "IETF, to draft 6": [("RateLimit-Limit", "100, 100;w=60"), ("RateLimit-Remaining", "76"), ("RateLimit-Reset", "30")],
    "IETF, from draft 8": [("RateLimit-Policy", '"burst";q=100;w=60'), ("RateLimit", '"burst";r=76;t=30')],
    "X-RateLimit": [("X-RateLimit-Limit", "100"), ("X-RateLimit-Remaining", "76"), ("X-RateLimit-Reset", "30")],
}


@pytest.mark.parametrize("form", LEFT)
def test_what_is_left_of_a_limit_is_a_metric(cache, app, upstream, image, form):
    def limited(request, answer):
        answer.headers += LEFT[form]
        return answer

    upstream.rule(manifests(), limited)
    pull(cache, app, image)
    metrics = cache.metrics("upstream" if cache.mode == "split" else None)
    assert metrics.total("entrepot_upstream_rate_limit", upstream=upstream.name) == 100
    assert metrics.total("entrepot_upstream_rate_limit_remaining", upstream=upstream.name) == 76

"""Invalid names, tags and digests are refused, and reach no file outside the store."""

import pytest

from hostile.raw import digest_of, image_of, put_manifest, request

HEX = "a" * 64

NAME_INVALID = [
    "/v2/UPPER/case/tags/list",
    "/v2/a%252Fb/tags/list",  # encoded twice
    "/v2/" + "a" * 256 + "/tags/list",
    "/v2/a_/tags/list",
    "/v2/a___b/tags/list",
    "/v2/-a/tags/list",
    "/v2/a..b/tags/list",
]


@pytest.mark.parametrize("target", NAME_INVALID)
def test_invalid_name_is_400_name_invalid(registry, target):
    answer = request(registry.port, "GET", target)
    assert (answer.status, answer.code()) == (400, "NAME_INVALID")


@pytest.mark.parametrize("target", [
    "/v2/../../../../etc/passwd",
    "/v2/a/../b/tags/list",
    "/v2/%2e%2e/%2e%2e/tags/list",
    "/v2/%2e%2e%2f%2e%2e%2fetc/tags/list",
    "/v2/a/blobs/..%2f..%2f..%2fetc%2fpasswd",
    "/v2/a/blobs/sha256:../../../etc/passwd",
    "/v2/a/manifests/..",
    "/../etc/passwd",
])
def test_dot_segments_reach_no_file(registry, target):
    answer = request(registry.port, "GET", target)
    assert answer.status in (400, 404)
    assert b"root:" not in answer.body


def test_encoded_slash_is_decoded_once(registry):
    image = image_of(registry.port, "decoded/once")
    assert put_manifest(registry.port, "decoded/once", "v1", image).status == 201
    assert request(registry.port, "GET", "/v2/decoded%2Fonce/manifests/v1").status == 200


@pytest.mark.parametrize("name", ["blobs/uploads", "manifests", "blobs", "tags/list", "a/manifests/b", "referrers"])
def test_repository_may_have_the_name_of_a_route(registry, name):
    image = image_of(registry.port, name)
    assert put_manifest(registry.port, name, "v1", image).status == 201
    assert request(registry.port, "GET", f"/v2/{name}/manifests/v1").status == 200
    assert request(registry.port, "GET", f"/v2/{name}/tags/list").body.endswith(b'"tags":["v1"]}')


@pytest.mark.parametrize("target", [
    "//v2/a/tags/list", "/v2//a/tags/list", "/v2/a//tags/list", "/v2/a/tags//list", "/v2/a/tags/list/",
    "/v2/a/manifests/v1/", "/v2//", "/v2/_catalog/", "/v2/a/blobs/", "/v2/a/manifests/",
])
def test_empty_segments_are_404(registry, target):
    assert request(registry.port, "GET", target).status == 404


@pytest.mark.parametrize("target", [
    b"/v2/a%00b/tags/list", b"/v2/a%0ab/tags/list", b"/v2/a%1fb/tags/list", b"/v2/a%7fb/tags/list",
    b"/v2/a%ffb/tags/list", b"/v2/a%c0%afb/tags/list", b"/v2/a\xffb/tags/list", b"/v2/a\x01b/tags/list",
    b"/v2/a%zzb/tags/list", b"/v2/a%2/tags/list",
])
def test_control_bytes_and_invalid_utf8_are_400(registry, target):
    assert request(registry.port, "GET", target).status == 400


@pytest.mark.parametrize("tag", ["a" * 129, ".leading", "-leading", "a+b", "a%20b", "%C3%A9"])
def test_invalid_tag_is_400(registry, tag):
    answer = put_manifest(registry.port, "tags/bad", tag, image_of(registry.port, "tags/bad"))
    assert (answer.status, answer.code()) in {(400, "TAG_INVALID"), (400, "MANIFEST_INVALID")}
    assert request(registry.port, "GET", f"/v2/tags/bad/manifests/{tag}").status == 400


@pytest.mark.parametrize("digest", [
    "sha256:abc", f"sha256:{HEX.upper()}", f"sha256:{HEX}0", f"md5:{'a' * 32}", f"SHA256:{HEX}", "sha256:",
    f"sha512:{HEX}", f"sha256:{'g' * 64}", f"unknown:{HEX}", f":{HEX}", f"sha256:sha256:{HEX[:57]}",
])
@pytest.mark.parametrize("route", ["blobs", "manifests", "referrers"])
def test_invalid_digest_is_400_digest_invalid(registry, route, digest):
    answer = request(registry.port, "GET", f"/v2/a/{route}/{digest}")
    assert (answer.status, answer.code()) == (400, "DIGEST_INVALID")


def test_tag_that_resembles_a_digest_is_accepted(registry):
    tag = f"sha256-{HEX}"
    assert put_manifest(registry.port, "tags/digestlike", tag, image_of(registry.port, "tags/digestlike")).status == 201
    answer = request(registry.port, "GET", f"/v2/tags/digestlike/manifests/{tag}")
    assert answer.status == 200
    assert answer.field("Docker-Content-Digest") == digest_of(answer.body)

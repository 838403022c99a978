"""Listings: invalid bounds are refused, and the pages together are the whole list, each entry once."""

import json
import re

import pytest

from hostile.raw import image_of, put_manifest, request

REPOSITORY = "hostile/listing"
TAGS = sorted(["a", "a-b", "a.b", "a_b", "aa", "A", "B", "b", "1", "10", "2", "_x", "v1", "v1.0", "v1.0.0", "V1"])


@pytest.fixture(name="listed", scope="module")
def fixture_listed(registry):
    image = image_of(registry.port, REPOSITORY)
    for tag in TAGS:
        assert put_manifest(registry.port, REPOSITORY, tag, image).status == 201
    return registry


def pages(port, target, key):
    entries = []
    for _ in range(1000):
        answer = request(port, "GET", target)
        assert answer.status == 200, answer
        entries += json.loads(answer.body)[key]
        link = answer.field("Link")
        if link is None:
            return entries
        target = re.fullmatch(r'<(/v2/[^>]*)>; rel="next"', link).group(1)
    raise AssertionError("more than 1000 pages")


@pytest.mark.parametrize("n", ["-1", "abc", "10000000000000000000", "1.5", "1e3", "%20", "", "0x10", "+1"])
@pytest.mark.parametrize("route", [f"{REPOSITORY}/tags/list", "_catalog"])
def test_invalid_n_is_400(listed, route, n):
    answer = request(listed.port, "GET", f"/v2/{route}?n={n}")
    assert (answer.status, answer.code()) == (400, "PAGINATION_NUMBER_INVALID")


@pytest.mark.parametrize("route", [f"{REPOSITORY}/tags/list", "_catalog"])
def test_huge_n_is_accepted(listed, route):
    assert request(listed.port, "GET", f"/v2/{route}?n=2000000000").status == 200


def test_n_of_zero_gets_an_empty_list_without_a_link(listed):
    answer = request(listed.port, "GET", f"/v2/{REPOSITORY}/tags/list?n=0")
    assert json.loads(answer.body) == {"name": REPOSITORY, "tags": []}
    assert answer.field("Link") is None


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, len(TAGS) - 1, len(TAGS), len(TAGS) + 1])
def test_pages_together_are_the_whole_list(listed, n):
    assert pages(listed.port, f"/v2/{REPOSITORY}/tags/list?n={n}", "tags") == TAGS


@pytest.mark.parametrize("last", ["' OR 1=1 --", "a\r\nb", "absent", "zzzz", "\x00", "é", "a" * 3000, "a&n=1", "a%b"])
def test_any_text_is_valid_as_last(listed, last):
    """`last` is only compared with the tags."""
    encoded = "".join(f"%{byte:02X}" for byte in last.encode())
    if len(encoded) > 8000:
        encoded = last
    tags = pages(listed.port, f"/v2/{REPOSITORY}/tags/list?n=3&last={encoded}", "tags")
    assert tags == [tag for tag in TAGS if tag.encode() > last.encode()]


def test_last_works_without_n(listed):
    answer = request(listed.port, "GET", f"/v2/{REPOSITORY}/tags/list?last=a_b")
    assert json.loads(answer.body)["tags"] == [tag for tag in TAGS if tag > "a_b"]


def test_repositories_with_a_common_prefix_are_all_listed(registry):
    names = ["prefix/a", "prefix/a-b", "prefix/a.b", "prefix/a/b", "prefix/a/b/c", "prefix/aa", "prefix/a_b"]
    for name in names:
        assert put_manifest(registry.port, name, "latest", image_of(registry.port, name)).status == 201
    for n in (1, 2, 3, 100):
        listed = pages(registry.port, f"/v2/_catalog?n={n}", "repositories")
        assert listed == sorted(set(listed))
        assert set(names) <= set(listed)
    for name in names:
        assert json.loads(request(registry.port, "GET", f"/v2/{name}/tags/list").body)["tags"] == ["latest"]


def test_tags_of_an_unknown_repository_are_404(registry):
    answer = request(registry.port, "GET", "/v2/hostile/never/tags/list")
    assert (answer.status, answer.code()) == (404, "NAME_UNKNOWN")


def test_referrers_of_an_unknown_digest_are_an_empty_index(registry):
    answer = request(registry.port, "GET", f"/v2/hostile/never/referrers/sha256:{'0' * 64}")
    assert answer.status == 200
    assert answer.field("Content-Type") == "application/vnd.oci.image.index.v1+json"
    assert json.loads(answer.body)["manifests"] == []


def test_many_referrers_are_listed_in_pages(registry):
    name = "hostile/referrers"
    subject = image_of(registry.port, name)
    pushed = put_manifest(registry.port, name, "subject", subject)
    digest = pushed.field("Docker-Content-Digest")
    descriptor = {"mediaType": subject["mediaType"], "digest": digest, "size": len(json.dumps(subject))}
    expected = set()
    for number in range(250):
        referrer = {**subject, "subject": descriptor, "artifactType": f"application/x.type{number % 2}",
                    "annotations": {"number": str(number), "padding": "x" * 40_000}}
        answer = put_manifest(registry.port, name, f"r{number}", referrer)
        assert (answer.status, answer.field("OCI-Subject")) == (201, digest)
        expected.add(answer.field("Docker-Content-Digest"))
    listed = pages(registry.port, f"/v2/{name}/referrers/{digest}", "manifests")
    assert len(listed) == 250 and {entry["digest"] for entry in listed} == expected
    answer = request(registry.port, "GET", f"/v2/{name}/referrers/{digest}?artifactType=application/x.type1")
    assert answer.field("OCI-Filters-Applied") == "artifactType"
    filtered = pages(registry.port, f"/v2/{name}/referrers/{digest}?artifactType=application/x.type1", "manifests")
    assert len(filtered) == 125 and {entry["artifactType"] for entry in filtered} == {"application/x.type1"}

"""Clients list all tags of a repository that has more than fit into one page: they follow the Link field."""

import json

import pytest

from fixtures.tools import go_tool
from hostile import raw

REPOSITORY = "clients/many-tags"
TAGS = [f"v{number:04}" for number in range(2345)]


@pytest.fixture(name="many_tags", scope="module")
def fixture_many_tags(registry):
    image = raw.image_of(registry.port, REPOSITORY)
    digest = raw.digest_of(json.dumps(image).encode())
    for start in range(0, len(TAGS), 100):
        tags = "&".join(f"tag={tag}" for tag in TAGS[start : start + 100])
        assert raw.put_manifest(registry.port, REPOSITORY, f"{digest}?{tags}", image).status == 201
    return f"{registry.address}/{REPOSITORY}"


def test_crane(many_tags, run):
    assert run(go_tool("crane"), "ls", many_tags).split() == TAGS


def test_oras(many_tags, run):
    assert run(go_tool("oras"), "repo", "tags", "--plain-http", many_tags).split() == TAGS


def test_regctl(registry, many_tags, run):
    run(go_tool("regctl"), "registry", "set", "--tls=disabled", "--skip-check", registry.address)
    assert run(go_tool("regctl"), "tag", "ls", many_tags).split() == TAGS


def test_skopeo(many_tags, run):
    listed = run("skopeo", "--insecure-policy", "list-tags", "--tls-verify=false", f"docker://{many_tags}")
    assert json.loads(listed)["Tags"] == TAGS

"""What is attached to an image at a real upstream is found through the cache: an SBOM that is a referrer, by the API or by
its tag scheme."""

import functools
import json
import uuid

import pytest

from clients.oci_layout import Layout
from fixtures.registry import start_registry
from fixtures.scratch import scratch
from fixtures.tools import go_tool
from upstream.distribution import distribution
from upstream.pulls import hub

# The first test that needs a tool builds it.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module", params=["referrers API", "tag scheme"])
def attachment_upstream(request, tmp_path_factory):
    """A registry that has the referrers API, and one that has it not."""
    with scratch(tmp_path_factory, "upstream") as directory:
        if request.param == "tag scheme":
            with distribution(directory) as started:
                yield started
        else:
            started = start_registry("standalone", directory)
            yield started
            started.stop()


@pytest.fixture
def app(attachment_upstream, images, run):
    """The name at the upstream of a repository for this test alone, with the image "app" as v1."""
    name = "library/" + uuid.uuid4().hex
    layout = images.all
    run("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "--preserve-digests", f"oci:{layout.directory}:app",
        f"docker://{attachment_upstream.address}/{name}:v1")  # fmt: skip
    return name


def test_oras_finds_and_pulls_an_sbom(make_cache, attachment_upstream, images, app, run, tmp_path):
    oras = functools.partial(run, go_tool("oras"))
    sbom = images.all.tagged("sbom")["digest"]
    at_upstream = f"{attachment_upstream.address}/{app}:sbom"
    oras("cp", "--to-plain-http", "--from-oci-layout", f"{images.all.directory}:sbom", at_upstream)
    cache = make_cache(file={"upstreams": [hub(attachment_upstream)]})
    through_cache = f"{cache.address}/docker.io/{app}"
    found = json.loads(oras("discover", "--plain-http", "--format=json", f"{through_cache}:v1"))
    assert [each["digest"] for each in found["referrers"]] == [sbom]
    oras("cp", "--from-plain-http", f"{through_cache}@{sbom}", "--to-oci-layout", f"{tmp_path}/pulled:v1")
    assert Layout(tmp_path / "pulled").check(sbom) == images.all.check(sbom)

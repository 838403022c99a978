"""What is signed at a real upstream verifies through the cache: cosign, with signatures that are referrers, by the API or
by its tag scheme, and with signatures that are tags of their own; oras, with an SBOM."""

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

# No transparency log, and nothing that would be asked for on the internet.
SIGN = ("sign", "--yes", "--use-signing-config=false", "--tlog-upload=false", "--allow-http-registry")
VERIFY = ("verify", "--insecure-ignore-tlog=true", "--allow-http-registry", "--output=json")


@pytest.fixture(scope="module", params=["referrers API", "tag scheme"])
def signed_upstream(request, tmp_path_factory):
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
def cosign(run, tmp_path):
    cosign = functools.partial(run, go_tool("cosign"), cwd=tmp_path, env={"COSIGN_PASSWORD": "a password"})
    for name in ("cosign", "other"):
        cosign("generate-key-pair", f"--output-key-prefix={name}")
    return cosign


@pytest.fixture
def app(signed_upstream, images, run):
    """The name at the upstream of a repository for this test alone, with the image "app" as v1."""
    name = "library/" + uuid.uuid4().hex
    layout = images.all
    run("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "--preserve-digests", f"oci:{layout.directory}:app",
        f"docker://{signed_upstream.address}/{name}:v1")  # fmt: skip
    return name


@pytest.mark.parametrize("bundles", ["true", "false"], ids=["bundles", "signature tags"])
def test_cosign_verifies_what_was_signed_at_the_upstream(make_cache, signed_upstream, images, app, cosign, bundles):
    digest = images.all.tagged("app")["digest"]
    at_upstream = f"{signed_upstream.address}/{app}@{digest}"
    cache = make_cache(signed_upstream)
    through_cache = f"{cache.address}/docker.io/{app}:v1"
    form = f"--new-bundle-format={bundles}"
    assert "no signatures found" in cosign(*VERIFY, form, "--key=cosign.pub", through_cache, ok=False)
    cosign(*SIGN, form, "--key=cosign.key", at_upstream)
    # A cache of its own, so that the absence of a signature is not remembered.
    cache = make_cache(signed_upstream)
    through_cache = f"{cache.address}/docker.io/{app}:v1"
    for _ in range(2):
        verified = json.loads(cosign(*VERIFY, form, "--key=cosign.pub", through_cache))
        assert [each["critical"]["image"]["docker-manifest-digest"] for each in verified] == [digest]
    assert "no matching" in cosign(*VERIFY, form, "--key=other.pub", through_cache, ok=False)
    # With the upstream gone it verifies from what is here.
    signed_upstream.kill9()
    try:
        cosign(*VERIFY, form, "--key=cosign.pub", through_cache)
    finally:
        signed_upstream.start()
    refused = cosign(*SIGN, form, "--key=cosign.key", f"{cache.address}/docker.io/{app}@{digest}", ok=False)
    assert "nothing can be pushed" in refused


def test_oras_finds_and_pulls_an_sbom(make_cache, signed_upstream, images, app, run, tmp_path):
    oras = functools.partial(run, go_tool("oras"))
    sbom = images.all.tagged("sbom")["digest"]
    oras("cp", "--to-plain-http", "--from-oci-layout", f"{images.all.directory}:sbom", f"{signed_upstream.address}/{app}:sbom")
    cache = make_cache(file={"upstreams": [hub(signed_upstream)]})
    through_cache = f"{cache.address}/docker.io/{app}"
    found = json.loads(oras("discover", "--plain-http", "--format=json", f"{through_cache}:v1"))
    assert [each["digest"] for each in found["referrers"]] == [sbom]
    oras("cp", "--from-plain-http", f"{through_cache}@{sbom}", "--to-oci-layout", f"{tmp_path}/pulled:v1")
    assert Layout(tmp_path / "pulled").check(sbom) == images.all.check(sbom)

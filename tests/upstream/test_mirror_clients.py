"""Real clients pull through the registry, by a prefix and with the settings of docs/upstreams.md."""

import functools
import json
import os
import shutil

import pytest

from clients.container_storage import podman_at
from clients.containerd_engine import containerd_engine, kubelet_pull
from clients.docker_engine import docker_engine
from clients.oci_layout import INDEX, MANIFEST, Layout
from fixtures.guide import Guide
from fixtures.scripted_upstream import Tokens
from fixtures.tools import go_tool
from upstream.pulls import blobs, hub

# The first test that needs crane or oras builds it.
pytestmark = pytest.mark.timeout(1800)

GUIDE = Guide("docs/upstreams.md")
NAME = "registry.example:5000"


def serve(upstream, repository, layout, name, tag="v1"):
    """Makes the image NAME of the layout one of the upstream."""
    content = upstream.repository(repository)
    descriptor = layout.tagged(name)
    for digest in layout.check(descriptor["digest"]):
        body = layout.blob(digest).read_bytes()
        media_type = media_type_of(body)
        if media_type in (MANIFEST, INDEX):
            content.manifests[digest] = (media_type, body)
        else:
            content.blobs[digest] = body
    content.tags[tag] = descriptor["digest"]


def media_type_of(body):
    try:
        return json.loads(body).get("mediaType")
    except (ValueError, AttributeError):
        return None


@pytest.fixture
def upstreams(make_upstream, images):
    """docker.io with app, a whole image of several platforms, and one and two; quay.io with team/tool. Both want tokens."""
    hub_content, quay = make_upstream(), make_upstream("127.0.0.2")
    for name in ("multi", "app"):
        serve(hub_content, "library/" + name, images.all, name)
    for name in ("one", "two"):
        serve(hub_content, "library/" + name, images.small[name], name)
    serve(quay, "team/tool", images.small["two"], "two")
    for each in (hub_content, quay):
        each.require(Tokens())
    return hub_content, quay


@pytest.fixture
def mirror(make_cache, upstreams):
    hub_content, quay = upstreams
    entries = [hub(hub_content), {"name": "quay.io", "url": quay.url}]
    return make_cache(file={"upstreams": entries, "default_upstream": "docker.io"})


def settings(mirror, heading, number=0):
    return GUIDE.adapted(heading, {NAME: mirror.address}, number)


def config_of(layout, name):
    return layout.read_json(layout.tagged(name)["digest"])["config"]["digest"]


def assert_fetched_once(upstream, layout, name):
    for digest in layout.check(layout.tagged(name)["digest"]):
        assert upstream.count("GET", blobs(digest), 200) <= 1


@pytest.mark.parametrize("name", ["app", "multi"])
def test_crane_by_prefix(mirror, upstreams, images, run, tmp_path, name):
    crane = functools.partial(run, go_tool("crane"))
    source = f"{mirror.address}/docker.io/{name}:v1"
    expected = images.all.tagged(name)["digest"]
    assert crane("digest", source).strip() == expected
    for number in range(2):
        directory = tmp_path / f"pulled{number}"
        crane("pull", "--format=oci", source, directory)
        assert Layout(directory).check(expected) == images.all.check(expected)
        shutil.rmtree(directory)
    assert crane("ls", f"{mirror.address}/docker.io/library/{name}").split() == ["v1"]
    assert_fetched_once(upstreams[0], images.all, name)


def test_oras_by_prefix(mirror, upstreams, images, run, tmp_path):
    oras = functools.partial(run, go_tool("oras"))
    expected = images.small["two"].tagged("two")["digest"]
    source = f"{mirror.address}/quay.io/team/tool:v1"
    oras("cp", "--from-plain-http", source, "--to-oci-layout", f"{tmp_path}/pulled:v1")
    assert Layout(tmp_path / "pulled").check(expected) == images.small["two"].check(expected)
    assert oras("repo", "tags", "--plain-http", f"{mirror.address}/quay.io/team/tool").split() == ["v1"]
    assert_fetched_once(upstreams[1], images.small["two"], "two")


def test_oras_finds_referrers_by_prefix(mirror, upstreams, images, run, tmp_path):
    serve(upstreams[0], "library/app", images.all, "sbom", "sbom")
    oras = functools.partial(run, go_tool("oras"))
    found = json.loads(oras("discover", "--plain-http", "--format=json", f"{mirror.address}/docker.io/library/app:v1"))
    assert [each["digest"] for each in found["referrers"]] == [images.all.tagged("sbom")["digest"]]


def write_registries_conf(mirror, directory):
    file = directory / "registries.conf"
    file.write_text("unqualified-search-registries = []\n" + settings(mirror, "podman, skopeo, buildah and CRI-O"))
    return file


def test_skopeo_with_a_mirror(mirror, upstreams, images, run, tmp_path):
    conf = write_registries_conf(mirror, tmp_path)
    skopeo = functools.partial(run, "skopeo", "--insecure-policy", f"--registries-conf={conf}")
    expected = images.all.tagged("multi")["digest"]
    skopeo("copy", "--all", "--preserve-digests", "docker://docker.io/library/multi:v1", f"oci:{tmp_path}/pulled:v1")
    assert Layout(tmp_path / "pulled").check(expected) == images.all.check(expected)
    assert skopeo("inspect", "--raw", "docker://quay.io/team/tool:v1").encode() == upstreams[1].repository(
        "team/tool"
    ).manifests[images.small["two"].tagged("two")["digest"]][1]


def test_podman_with_a_mirror_and_by_prefix(mirror, upstreams, images, run, tmp_path):
    with podman_at(run, tmp_path / "podman") as podman:
        write_registries_conf(mirror, tmp_path / "podman")
        for source, name in (("docker.io/library/one:v1", "one"), ("quay.io/team/tool:v1", "two")):
            podman("pull", "--quiet", source)
            found = json.loads(podman("image", "inspect", source))[0]
            assert "sha256:" + found["Id"] == config_of(images.small[name], name)
        by_prefix = f"{mirror.address}/docker.io/one:v1"
        podman("pull", "--quiet", "--tls-verify=false", by_prefix)
    assert_fetched_once(upstreams[0], images.small["one"], "one")
    assert_fetched_once(upstreams[1], images.small["two"], "two")


def test_containerd_with_a_mirror_for_one_registry_and_for_all(mirror, upstreams, images, run, tmp_path):
    hosts = tmp_path / "certs.d"
    for directory, number in (("docker.io", 0), ("_default", 1)):
        (hosts / directory).mkdir(parents=True)
        (hosts / directory / "hosts.toml").write_text(settings(mirror, "containerd", number))
    with containerd_engine(tmp_path / "containerd", run) as ctr:
        for source, layout, name in (
            ("docker.io/library/app:v1", images.all, "app"),
            ("quay.io/team/tool:v1", images.small["two"], "two"),
        ):
            ctr("images", "pull", "--hosts-dir", hosts, source)
            assert layout.tagged(name)["digest"] in ctr("images", "list", f"name=={source}")
        # A registry that is no upstream is asked by containerd itself.
        before = len(upstreams[0].requests + upstreams[1].requests)
        assert "unknown.invalid" in ctr("images", "pull", "--hosts-dir", hosts, "unknown.invalid/team/tool:v1", ok=False)
        assert len(upstreams[0].requests + upstreams[1].requests) == before
    assert_fetched_once(upstreams[0], images.all, "app")
    assert_fetched_once(upstreams[1], images.small["two"], "two")


def test_kubernetes_with_containerd(mirror, upstreams, images, run, tmp_path):
    hosts = tmp_path / "certs.d"
    for directory, number in (("docker.io", 0), ("_default", 1)):
        (hosts / directory).mkdir(parents=True)
        (hosts / directory / "hosts.toml").write_text(settings(mirror, "containerd", number))
    version, _, rest = GUIDE.settings("Kubernetes").partition("\n")
    assert version == "version = 2" and '"/etc/containerd/certs.d"' in rest
    with containerd_engine(tmp_path / "containerd", run, rest.replace("/etc/containerd/certs.d", str(hosts))) as ctr:
        for source, layout, name in (
            ("docker.io/library/app:v1", images.all, "app"),
            ("quay.io/team/tool:v1", images.small["two"], "two"),
        ):
            kubelet_pull(tmp_path / "containerd", run, source)
            assert layout.tagged(name)["digest"] in ctr("--namespace=k8s.io", "images", "list", f"name=={source}")
    assert_fetched_once(upstreams[0], images.all, "app")
    assert_fetched_once(upstreams[1], images.small["two"], "two")


def test_docker_with_registry_mirrors_and_by_prefix(mirror, upstreams, images, run, tmp_path):
    with docker_engine(tmp_path / "docker", run, settings(mirror, "Docker")) as docker:
        for source in ("one:v1", "docker.io/library/one:v1", f"{mirror.address}/docker.io/one:v1"):
            docker("pull", source)
            assert json.loads(docker("image", "inspect", source))[0]["Id"] == config_of(images.small["one"], "one")
            docker("image", "rm", source)
        # Warm, with the upstream gone.
        upstreams[0].stop()
        docker("pull", "one:v1")
        docker("image", "rm", "one:v1")
        docker("pull", f"one@{images.small['one'].tagged('one')['digest']}")
    upstreams[0].start()
    assert_fetched_once(upstreams[0], images.small["one"], "one")


# Debian's Docker has no containerd image store. Its resolver is containerd's own, as in the tests of containerd above.
@pytest.mark.skipif("ENTREPOT_NEW_DOCKER" not in os.environ, reason="ENTREPOT_NEW_DOCKER=1 builds Docker 29, for minutes")
def test_docker_with_the_containerd_image_store(mirror, upstreams, images, run, tmp_path):
    hosts = tmp_path / "etc" / "certs.d" / "quay.io"
    hosts.mkdir(parents=True)
    (hosts / "hosts.toml").write_text(settings(mirror, "containerd", 1))
    config = json.dumps({**json.loads(settings(mirror, "Docker")), "features": {"containerd-snapshotter": True}})
    with docker_engine(tmp_path / "docker", run, config, go_tool("dockerd"), tmp_path / "etc") as docker:
        assert "io.containerd.snapshotter.v1" in docker("info")
        for source, name in (("one:v1", "one"), ("quay.io/team/tool:v1", "two")):
            docker("pull", source)
            digest = images.small[name].tagged(name)["digest"]
            assert [each.partition("@")[2] for each in json.loads(docker("image", "inspect", source))[0]["RepoDigests"]] == [digest]
    assert_fetched_once(upstreams[0], images.small["one"], "one")
    assert_fetched_once(upstreams[1], images.small["two"], "two")


def test_pushes_to_a_cache_get_an_error_that_explains_it(mirror, images, run, tmp_path):
    layout = images.small["one"]
    skopeo = functools.partial(run, "skopeo", "--insecure-policy")
    target = f"docker://{mirror.address}/docker.io/library/pushed:v1"
    output = skopeo("copy", "--dest-tls-verify=false", f"oci:{layout.directory}:one", target, ok=False)
    assert "docker.io" in output

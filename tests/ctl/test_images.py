"""`entrepotctl export` and `import`: images that go from one registry to another through a file."""

import contextlib
import json
import os
import subprocess
import tarfile

from fixtures.registry import PROGRAMS, Registry, add_distribution
from fixtures.scripted_upstream import INDEX, MANIFEST, digest_of
from upstream.pulls import assert_blob, get_manifest, pull
from upstream.pushes import push_image

CTL = PROGRAMS / "entrepotctl"
MIB = 1 << 20
SBOM = "application/spdx+json"


def ctl(registry, *words, code=0):
    """What entrepotctl printed, its errors included."""
    done = subprocess.run([CTL, *words], env={"ENTREPOT_REGISTRY": registry.url}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=300)  # fmt: skip
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}"
    return done.stdout


def put_manifest(registry, repository, reference, content, media_type=MANIFEST):
    body = json.dumps(content).encode()
    answer = registry.request("PUT", f"/v2/{repository}/manifests/{reference}", body=body,
                              headers={"Content-Type": media_type})  # fmt: skip
    assert answer.status == 201, answer
    return digest_of(body), len(body)


def push_index(registry, repository, tag):
    """-> (the digest of an index of two platforms, the images by architecture, the digest of the SBOM of the first)."""
    images = {name: push_image(registry.request, repository, [os.urandom(100), os.urandom(9 * MIB)], name)
              for name in ("amd64", "arm64")}  # fmt: skip
    children = [{"mediaType": MANIFEST, "digest": image.digest, "size": len(image.manifest),
                 "platform": {"os": "linux", "architecture": name}} for name, image in images.items()]  # fmt: skip
    index, _ = put_manifest(registry, repository, tag, {"schemaVersion": 2, "mediaType": INDEX, "manifests": children}, INDEX)
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": images["amd64"].config, "size": 2}
    subject = {"mediaType": MANIFEST, "digest": images["amd64"].digest, "size": len(images["amd64"].manifest)}
    sbom, _ = put_manifest(registry, repository, "sbom", {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": SBOM,
                                                         "config": config, "layers": [], "subject": subject})  # fmt: skip
    registry.request("DELETE", f"/v2/{repository}/manifests/sbom")
    return index, images, sbom


def test_an_index_goes_through_a_tar_file(registry, tmp_path):
    index, images, sbom = push_index(registry, "move/app", "v1")
    path = tmp_path / "images.tar"
    assert index in ctl(registry, "export", path, "move/app:v1")
    assert tarfile.open(path).getnames()[0] == "oci-layout"
    assert "exists" in ctl(registry, "export", path, "move/app:v1", code=1)

    imported = json.loads(ctl(registry, "import", path, "moved/app", "--output", "json"))
    assert imported["images"][0]["digest"] == index and imported["problems"] == []
    answer = get_manifest(registry, "moved/app", "v1")
    assert answer.headers["Docker-Content-Digest"] == index
    for image in images.values():
        pull(registry, "moved/app", image, reference=image.digest)
    referrers = registry.request("GET", f"/v2/moved/app/referrers/{images['amd64'].digest}").json()["manifests"]
    assert [each["digest"] for each in referrers] == [sbom]
    again = json.loads(ctl(registry, "import", path, "moved/app", "--output", "json"))
    assert again["images"][0]["blobsThere"] == again["images"][0]["blobs"]


def test_one_platform_is_imported_where_the_policy_allows_it(registry, tmp_path):
    _, images, _ = push_index(registry, "move/platform", "v1")
    path = tmp_path / "layout"
    ctl(registry, "export", path, "move/platform:v1", "--platform", "linux/arm64")
    assert not (path / "blobs/sha256" / images["amd64"].digest.removeprefix("sha256:")).exists()
    refused = ctl(registry, "import", path, "moved/platform", code=1)
    assert "absent_children" in refused
    ctl(registry, "export", tmp_path / "one.tar", f"move/platform@{images['arm64'].digest}")
    ctl(registry, "import", tmp_path / "one.tar", "moved/platform:arm64")
    pull(registry, "moved/platform", images["arm64"], reference="arm64")


def test_skopeo_reads_and_writes_such_files(registry, tmp_path):
    image = push_image(registry.request, "move/skopeo", [os.urandom(1000)], "v1")
    ctl(registry, "export", tmp_path / "ours.tar", "move/skopeo:v1")
    target = f"docker://{registry.address}/moved/skopeo:v1"
    subprocess.run(["skopeo", "copy", "--dest-tls-verify=false", f"oci-archive:{tmp_path}/ours.tar:v1", target], check=True,
                   capture_output=True)  # fmt: skip
    pull(registry, "moved/skopeo", image)
    subprocess.run(["skopeo", "copy", "--src-tls-verify=false", target, f"oci-archive:{tmp_path}/theirs.tar:v1"], check=True,
                   capture_output=True)  # fmt: skip
    ctl(registry, "import", tmp_path / "theirs.tar", "moved/back")
    pull(registry, "moved/back", image)


@contextlib.contextmanager
def debian_registry(directory):
    registry = Registry("peer", directory)
    add_distribution(registry, "docker-registry")
    registry.start()
    try:
        yield registry
    finally:
        registry.stop()


def test_the_storage_of_distribution_is_imported(registry, tmp_path):
    with debian_registry(tmp_path) as peer:
        app = push_image(peer.request, "old/app", [os.urandom(9 * MIB)], "v1")
        base = push_image(peer.request, "old/base/image", [os.urandom(1000)], "v1")
        broken = push_image(peer.request, "old/broken", [os.urandom(1000)], "v1")
        deleted = push_image(peer.request, "old/deleted", [os.urandom(1000)], "v1")
        assert peer.request("DELETE", f"/v2/old/deleted/manifests/{deleted.digest}").status == 202
    store = tmp_path / "store"
    layer = broken.blobs[-1].removeprefix("sha256:")
    data = store / "docker/registry/v2/blobs/sha256" / layer[:2] / layer / "data"
    data.write_bytes(b"x" + data.read_bytes()[1:])

    report = ctl(registry, "import", store, code=1)
    assert f"old/broken:v1: the layout is damaged: the bytes of the blob sha256:{layer}" in report
    pull(registry, "old/app", app)
    pull(registry, "old/base/image", base)
    assert get_manifest(registry, "old/broken", "v1").status == 404
    assert get_manifest(registry, "old/deleted", "v1").status == 404
    for digest in app.blobs:
        assert_blob(registry, "old/app", digest)

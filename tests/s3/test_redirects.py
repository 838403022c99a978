"""Pulls that are answered with a URL of the S3 server, on real servers."""

import functools
import os
import tarfile
from urllib.parse import parse_qs, urlsplit

import pytest

from clients.conftest import run, tool_env  # noqa: F401: fixtures
from clients.container_storage import podman_at
from clients.oci_layout import CONFIG, LAYER, MANIFEST, Layout
from fixtures import http
from fixtures.accounts import Client
from fixtures.blobs import digest_of, push
from fixtures.scripted_upstream import ScriptedUpstream
from fixtures.tools import go_tool
from s3.servers import s3_server

MIB = 1024 * 1024
# The registry believes what a proxy on this machine reports.
INSIDE, OUTSIDE = {"X-Forwarded-For": "192.0.2.7"}, {"X-Forwarded-For": "198.51.100.7"}
CONDITIONS = ("If-Match", "If-None-Match", "If-Range", "If-Modified-Since", "If-Unmodified-Since")


@pytest.fixture(params=["versitygw", "minio"])
def server(request, tmp_path):
    with s3_server(request.param, tmp_path / "s3") as running:
        yield running


def config(server, clients=("192.0.2.0/24",), **fields):
    """Clients reach the server by another host than the registry."""
    objects = server.config()
    public = f"http://localhost:{server.port}"
    objects["s3"]["redirects"] = {"clients": list(clients), "endpoint": public, **fields}
    return {"objects": objects, "listen": {"trusted_proxies": ["127.0.0.1"]}}


def get(registry, data, headers, method="GET"):
    return http.request(method, f"{registry.url}/v2/a/b/blobs/{digest_of(data)}", headers=headers)


def redirects(registry):
    return registry.metrics("entrepot" if registry.mode == "standalone" else "blob").total("entrepot_s3_redirects_total")


def test_a_client_in_the_networks_is_redirected(server, make_registry):
    registry = make_registry(config(server))
    small, large = os.urandom(1000), os.urandom(6 * MIB)
    for data in (small, large):
        assert push(registry, "a/b", data).status == 201

    answer = get(registry, large, INSIDE)
    assert (answer.status, answer.body) == (307, b""), answer
    assert answer.headers["Docker-Content-Digest"] == digest_of(large)
    assert answer.headers["Cache-Control"] == "no-store"
    url = answer.headers["Location"]
    assert urlsplit(url).netloc == f"localhost:{server.port}"
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["60"]
    found = http.request("GET", url)
    assert found.status == 200 and found.body == large
    assert found.headers["Content-Disposition"] == "attachment"
    assert found.headers["Content-Type"] == "application/octet-stream"
    # The signature is for this host, this method and these fields.
    for changed in (url.replace("localhost", "127.0.0.1"), url.replace("attachment", "inline")):
        assert http.request("GET", changed).status == 403
    assert http.request("DELETE", url).status == 403

    assert redirects(registry) == 1
    for headers, data in ((OUTSIDE, large), ({}, large), (INSIDE, small)):
        answer = get(registry, data, headers)
        assert answer.status == 200 and answer.body == data, headers
    answer = get(registry, large, INSIDE, method="HEAD")
    assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(large)))
    assert redirects(registry) == 1
    assert registry.metrics().total("entrepot_http_requests_total", route="blob", method="GET", code="307") == 1


def test_ranges_are_repeated_at_the_server(server, make_registry):
    registry = make_registry(config(server))
    data = os.urandom(6 * MIB)
    assert push(registry, "a/b", data).status == 201
    for field, first, end in (("bytes=100-299", 100, 300), (f"bytes={5 * MIB}-", 5 * MIB, 6 * MIB), ("bytes=-7", 6 * MIB - 7, 6 * MIB)):
        answer = get(registry, data, {**INSIDE, "Range": field})
        assert answer.status == 307, answer
        found = http.request("GET", answer.headers["Location"], headers={"Range": field})
        assert found.status == 206 and found.body == data[first:end], field
        assert found.headers["Content-Range"] == f"bytes {first}-{end - 1}/{len(data)}"
    # S3 does not know several ranges, nor the entity tags of the registry.
    answer = get(registry, data, {**INSIDE, "Range": "bytes=0-9,20-29"})
    assert answer.status == 206 and answer.headers["Content-Type"].startswith("multipart/byteranges")
    answer = get(registry, data, {**INSIDE, "Range": f"bytes={len(data)}-"})
    assert answer.status == 416
    for name in CONDITIONS:
        tag = "*" if name == "If-Match" else "Wed, 21 Oct 2015 07:28:00 GMT" if name.endswith("Since") else '"sha256:other"'
        assert get(registry, data, {**INSIDE, name: tag}).status == 200, name


def test_damage_is_not_redirected(server, make_registry):
    registry = make_registry(config(server))
    data = os.urandom(300_000)
    assert push(registry, "a/b", data).status == 201
    (path,) = (server.store / server.BUCKET / "objects").glob("f*")
    # MinIO keeps an object in a folder.
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    for file in files:
        file.unlink()
    assert get(registry, data, INSIDE).status in (404, 500, 503)
    assert redirects(registry) == 0


def test_only_callers_with_access_are_redirected(server, make_secured_registry):
    registry = make_secured_registry(config=config(server))
    data = os.urandom(300_000)
    ci, prod = Client(registry, "ci"), Client(registry, "prod")
    scope = "repository:driftwood/web:pull,push"
    location = ci.request("POST", "/v2/driftwood/web/blobs/uploads/", scope).headers["Location"]
    answer = ci.request("PUT", f"{location}?digest={digest_of(data)}", scope, body=data)
    assert answer.status == 201, answer
    path = f"/v2/driftwood/web/blobs/{digest_of(data)}"
    answer = prod.request("GET", path, "repository:driftwood/web:pull", headers=INSIDE)
    assert answer.status == 307, answer
    assert http.request("GET", answer.headers["Location"]).body == data
    assert registry.request("GET", path, headers=INSIDE).status == 401
    other = ci.request("GET", f"/v2/driftwood/other/blobs/{digest_of(data)}", "repository:driftwood/other:pull", headers=INSIDE)
    assert other.status == 404


def test_a_fetch_that_runs_is_not_redirected(server, make_registry):
    upstream = ScriptedUpstream()
    try:
        file = {"upstreams": [{"name": "hub", "url": upstream.url}]}
        registry = make_registry(config(server), upstreams=file)
        data = os.urandom(2 * MIB)
        upstream.repository("library/app").add_blob(data)
        path = f"{registry.url}/v2/hub/library/app/blobs/{digest_of(data)}"
        answer = http.request("GET", path, headers=INSIDE)
        assert answer.status == 200 and answer.body == data, answer
        again = http.request("GET", path, headers=INSIDE)
        if again.status == 307:  # The fetch has ended.
            assert http.request("GET", again.headers["Location"]).body == data
        else:
            assert again.status == 200 and again.body == data
    finally:
        upstream.close()


@pytest.fixture
def image(tmp_path):
    layout = Layout.create(tmp_path / "image")
    layer_tar = tmp_path / "layer.tar"
    content = tmp_path / "content"
    content.write_bytes(os.urandom(6 * MIB))
    with tarfile.open(layer_tar, "w") as tar:
        tar.add(content, "content")
    layer = layout.add_file(LAYER, layer_tar)
    image = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}
    config_descriptor = layout.add_json(CONFIG, image)
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config_descriptor, "layers": [layer]}
    layout.tag(layout.add_json(MANIFEST, manifest), "v1")
    return layout


def test_clients_follow(server, make_registry, image, run, tmp_path):  # noqa: F811: the fixture
    registry = make_registry(config(server, clients=["127.0.0.1"]))
    crane = functools.partial(run, go_tool("crane"))
    target = f"{registry.address}/a/b:v1"
    crane("push", image.directory, target)
    assert redirects(registry) == 0
    crane("pull", "--format=oci", target, tmp_path / "pulled")
    pulled = Layout(tmp_path / "pulled")
    digest = image.tagged()["digest"]
    assert pulled.tagged()["digest"] == digest
    assert pulled.check(digest) == image.check(digest)
    assert redirects(registry) == 1
    if os.geteuid() != 0:
        pytest.skip("podman needs root here")
    with podman_at(run, tmp_path / "podman") as podman:
        podman("pull", "--quiet", "--tls-verify=false", target)
        assert redirects(registry) == 2

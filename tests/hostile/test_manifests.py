"""Invalid manifests are refused with a reason, and large or deep ones are bounded."""

import base64
import copy
import json
import time
import urllib.parse

import pytest

from hostile.raw import (OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, Connection, digest_of, exchange, image_of, push_blob,
                 put_manifest, request)

REPOSITORY = "hostile/manifests"
LIMIT = 4 * 1024 * 1024


@pytest.fixture(name="image")
def fixture_image(registry):
    return image_of(registry.port, REPOSITORY)


def assert_refused(registry, content, media_type=OCI_MANIFEST, codes=("MANIFEST_INVALID",)):
    answer = put_manifest(registry.port, REPOSITORY, "bad", content, media_type)
    assert answer.status == 400, answer
    assert answer.code() in codes, answer
    assert json.loads(answer.body)["errors"][0]["message"]
    assert request(registry.port, "GET", f"/v2/{REPOSITORY}/manifests/bad").status == 404
    return answer


def with_change(image, change):
    changed = copy.deepcopy(image)
    change(changed)
    return changed


def set_layer(key, value):
    return lambda image: image["layers"][0].update({key: value})


CHANGES = {
    "media type differs from content type": lambda i: i.update(mediaType=OCI_INDEX),
    "manifests beside layers": lambda i: i.update(manifests=[]),
    "no config": lambda i: i.pop("config"),
    "config is a list": lambda i: i.update(config=[]),
    "config without digest": lambda i: i["config"].pop("digest"),
    "config without size": lambda i: i["config"].pop("size"),
    "layers is an object": lambda i: i.update(layers={}),
    "a layer is a string": lambda i: i.update(layers=["sha256:0"]),
    "schema version 1": lambda i: i.update(schemaVersion=1),
    "schema version is text": lambda i: i.update(schemaVersion="2"),
    "no schema version": lambda i: i.pop("schemaVersion"),
    "negative size": set_layer("size", -1),
    "float size": set_layer("size", 1.5),
    "size 2^63": set_layer("size", 2**63),
    "size 2^64": set_layer("size", 2**64),
    "text size": set_layer("size", "5"),
    "annotations are a list": lambda i: i.update(annotations=[]),
    "an annotation is a number": lambda i: i.update(annotations={"a": 1}),
    "subject is text": lambda i: i.update(subject="sha256:0"),
    "artifact type is a number": lambda i: i.update(artifactType=5),
    "artifact type is not a media type": lambda i: i.update(artifactType="not a type"),
    "artifact type ends with a line feed": lambda i: i.update(artifactType="application/x\n"),
    "a parameter of the artifact type has a line break": lambda i: i.update(artifactType="a/b;\r\nInjected: yes"),
    "artifact type turns the text around": lambda i: i.update(artifactType="a/\u202eb"),
    "media type ends with a line feed": lambda i: i.update(mediaType=OCI_MANIFEST + "\n"),
    "media type has parameters": lambda i: i.update(mediaType=OCI_MANIFEST + "; charset=utf-8"),
    "layer type ends with a line feed": set_layer("mediaType", "application/x\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_invalid_manifest_is_400(registry, image, change):
    assert_refused(registry, with_change(image, change))


@pytest.mark.parametrize("digest", ["sha256:abc", "md5:" + "0" * 32, "sha256:../../../etc/passwd", "", 5])
def test_invalid_digest_within_a_manifest_is_400(registry, image, digest):
    assert_refused(registry, with_change(image, set_layer("digest", digest)),
                   codes=("MANIFEST_INVALID", "DIGEST_INVALID"))


def test_size_that_differs_from_the_blob_is_400(registry, image):
    assert_refused(registry, with_change(image, set_layer("size", 6)), codes=("MANIFEST_INVALID", "SIZE_INVALID"))


def test_data_that_differs_from_its_digest_is_400(registry, image):
    wrong = base64.b64encode(b"xx").decode()
    assert_refused(registry, with_change(image, lambda i: i["config"].update(data=wrong)),
                   codes=("MANIFEST_INVALID", "DIGEST_INVALID"))
    assert_refused(registry, with_change(image, lambda i: i["config"].update(data="***")))
    right = base64.b64encode(b"{}").decode()
    assert put_manifest(registry.port, REPOSITORY, "data",
                        with_change(image, lambda i: i["config"].update(data=right))).status == 201


TEXTS = {
    "empty": lambda text: b"",
    "not json": lambda text: b"hello",
    "a list": lambda text: b"[]",
    "null": lambda text: b"null",
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "trailing data": lambda text: text + b"{}",
    "trailing comma": lambda text: text[:-1] + b",}",
    "truncated": lambda text: text[:-5],
    "invalid UTF-8": lambda text: text.replace(b"application/", b"applicatio\xff/", 1),
    "duplicate key": lambda text: text[:-1] + b',"layers":[]}',
    "duplicate escaped key": lambda text: text[:-1] + b',"l\\u0061yers":[]}',
    "duplicate nested key": lambda text: text.replace(b'"size"', b'"size":2,"size"', 1),
    "comment": lambda text: b"/**/" + text,
    "single quotes": lambda text: text.replace(b'"', b"'"),
    "deep list": lambda text: text[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep object": lambda text: text[:-1] + b',"x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    "deep and not closed": lambda text: b"[" * 1_000_000,
    "lone surrogate": lambda text: text[:-1] + b',"x":"\\ud800"}',
    "control byte in a text": lambda text: text[:-1] + b',"x":"\x01"}',
    "infinite number": lambda text: text[:-1] + b',"x":NaN}',
}


@pytest.mark.parametrize("change", TEXTS.values(), ids=TEXTS)
def test_text_that_is_not_strict_json_is_400(registry, image, change):
    assert_refused(registry, change(json.dumps(image).encode()))


@pytest.mark.parametrize("media_type", [
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/json",
    "text/plain",
    "nonsense",
    "application/vnd.example.unknown+json",
])
def test_unknown_media_type_and_schema_1_are_400(registry, image, media_type):
    content = {key: value for key, value in image.items() if key != "mediaType"}
    assert_refused(registry, content, media_type)


def test_missing_blobs_are_listed_in_the_error(registry, image):
    missing = ["sha256:" + digit * 64 for digit in "12"]
    image["layers"] += [{"mediaType": OCI_LAYER, "digest": digest, "size": 3} for digest in missing]
    answer = put_manifest(registry.port, REPOSITORY, "bad", image)
    assert (answer.status, answer.code()) == (404, "MANIFEST_BLOB_UNKNOWN")
    assert all(digest in answer.body.decode() for digest in missing)


def test_blob_of_another_repository_is_missing(registry, image):
    elsewhere = push_blob(registry.port, "hostile/elsewhere", b"not linked here")
    image["layers"].append({"mediaType": OCI_LAYER, **elsewhere})
    assert put_manifest(registry.port, REPOSITORY, "bad", image).code() == "MANIFEST_BLOB_UNKNOWN"


def test_missing_subject_and_foreign_layers_are_accepted(registry, image):
    image["subject"] = {"mediaType": OCI_MANIFEST, "digest": "sha256:" + "3" * 64, "size": 3}
    image["layers"].append({
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "digest": "sha256:" + "4" * 64,
        "size": 3, "urls": [f"http://127.0.0.1:{registry.port}/v2/"],
    })
    answer = put_manifest(registry.port, REPOSITORY, "subject", image)
    assert (answer.status, answer.field("OCI-Subject")) == (201, "sha256:" + "3" * 64)


def test_manifest_above_the_limit_is_413(registry, image):
    image["annotations"] = {"padding": "x" * LIMIT}
    assert put_manifest(registry.port, REPOSITORY, "large", image).status == 413


def test_manifest_of_exactly_the_limit_is_accepted(registry, image):
    text = json.dumps({**image, "annotations": {"padding": ""}}).encode()
    image["annotations"] = {"padding": "x" * (LIMIT - len(text))}
    content = json.dumps(image).encode()
    assert len(content) == LIMIT
    assert put_manifest(registry.port, REPOSITORY, "largest", content).status == 201


def test_endless_chunked_body_is_cut_off(registry):
    with Connection(registry.port) as connection:
        connection.send(f"PUT /v2/{REPOSITORY}/manifests/endless HTTP/1.1\r\nHost: localhost\r\nContent-Type: {OCI_MANIFEST}\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        for _ in range(LIMIT // 65536 + 2):
            connection.send(chunk)
        answer = connection.receive()
        assert (answer.status, answer.closed) == (413, True)
        # The registry reads for a moment longer, so that the client gets the answer, and then closes the connection.
        deadline = time.monotonic() + 20
        with pytest.raises(OSError):
            while time.monotonic() < deadline:
                connection.send(chunk)


def test_very_deep_index_is_bounded(registry, image):
    assert put_manifest(registry.port, REPOSITORY, "level", image).status == 201
    content, media_type = json.dumps(image).encode(), OCI_MANIFEST
    for _ in range(200):
        child = {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}
        content = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]}).encode()
        media_type = OCI_INDEX
        assert put_manifest(registry.port, REPOSITORY, "level", content, OCI_INDEX).status in (201, 400)
    assert request(registry.port, "GET", f"/v2/{REPOSITORY}/manifests/level").status == 200


def test_content_encoding_is_415(registry, image):
    answer = put_manifest(registry.port, REPOSITORY, "gzip", image, fields=[("Content-Encoding", "gzip")])
    assert answer.status == 415


def test_put_by_a_digest_of_other_content_is_400(registry, image):
    answer = put_manifest(registry.port, REPOSITORY, "sha256:" + "0" * 64, image)
    assert (answer.status, answer.code()) == (400, "DIGEST_INVALID")


def test_crlf_in_a_request_adds_no_header_field(registry, image):
    for target in (f"/v2/{REPOSITORY}/manifests/a%0d%0aInjected:%20yes",
                   f"/v2/{REPOSITORY}/tags/list?n=1&last=a%0d%0aInjected:%20yes",
                   f"/v2/{REPOSITORY}/referrers/sha256:{'0' * 64}?artifactType=a%0d%0aInjected:%20yes"):
        answer = request(registry.port, "GET", target)
        assert answer.field("Injected") is None
        assert answer.status < 500
    for index in range(3):
        assert put_manifest(registry.port, REPOSITORY, f"crlf{index}", image).status == 201
    answer = request(registry.port, "GET", f"/v2/{REPOSITORY}/tags/list?n=1&last=a%0d%0ab")
    assert answer.status == 200 and answer.field("Link")
    injected = with_change(image, lambda i: i.update(artifactType="application/x\r\nInjected: yes"))
    assert_refused(registry, injected)


@pytest.mark.parametrize("artifact_type", ["sbom", "a/b;version=0.3", 'a/b; c="d\\e"', "<script>"])
def test_artifact_type_is_listed_as_it_is(registry, image, artifact_type):
    subject = {"mediaType": OCI_MANIFEST, "digest": digest_of(artifact_type.encode()), "size": 1}
    referrer = json.dumps(with_change(image, lambda i: i.update(artifactType=artifact_type, subject=subject))).encode()
    assert put_manifest(registry.port, REPOSITORY, digest_of(referrer), referrer).status == 201
    query = "artifactType=" + urllib.parse.quote(artifact_type, safe="")
    answer = request(registry.port, "GET", f"/v2/{REPOSITORY}/referrers/{subject['digest']}?{query}")
    assert answer.field("OCI-Filters-Applied") == "artifactType"
    assert [entry["artifactType"] for entry in json.loads(answer.body)["manifests"]] == [artifact_type]


def test_content_type_parameters_are_ignored(registry, image):
    assert put_manifest(registry.port, REPOSITORY, "charset", image, OCI_MANIFEST + "; charset=utf-8").status == 201
    answer = request(registry.port, "GET", f"/v2/{REPOSITORY}/manifests/charset")
    assert answer.field("Content-Type") == OCI_MANIFEST


def test_push_by_digest_sets_the_tags_of_its_query(registry, image):
    content = json.dumps(image).encode()
    query = "&".join(f"tag=multi{number}" for number in range(10))
    answer = put_manifest(registry.port, REPOSITORY, f"{digest_of(content)}?{query}", content)
    assert answer.status == 201
    assert sorted(answer.field("OCI-Tag").split(", ")) == sorted(f"multi{number}" for number in range(10))
    for number in range(10):
        assert request(registry.port, "GET", f"/v2/{REPOSITORY}/manifests/multi{number}").body == content
    assert put_manifest(registry.port, REPOSITORY, f"{digest_of(content)}?tag=.bad", content).status == 400


def test_malformed_push_is_400(registry):
    for body in (b"", b"\x00", b"{" * 5000, b'{"schemaVersion":2}', b'{"schemaVersion":2,"layers":null,"config":null}'):
        for media_type in (OCI_MANIFEST, OCI_INDEX, OCI_CONFIG, ""):
            assert put_manifest(registry.port, REPOSITORY, "x", body, media_type).status == 400
    raw = f"PUT /v2/{REPOSITORY}/manifests/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    assert exchange(registry.port, raw).status == 400

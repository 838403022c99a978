"""Any replica serves any request: what one gateway has acknowledged, the other one knows at once."""

import concurrent.futures
import json
import os
import threading

import pytest

from cluster.gateways import EveryGateway, OneGateway, each_gateway
from fault.content import KIB, MIB, check_blobs, digest_of, image_of, pull, push, put_manifest
from fixtures import http

pytestmark = pytest.mark.modes("cluster")

# One that is a record, one that is one part in S3, and one of several parts.
SIZES = (5_000, 300 * KIB, 20 * MIB)


def push_image(gateways, repository, tag, *layers):
    """-> the bytes of the manifest."""
    config = json.dumps({"tag": tag, "repository": repository}).encode()
    for data in (config, *layers):
        answer = push(gateways, repository, data)
        assert answer.status == 201, answer
    content = image_of(config, *layers)
    answer = put_manifest(gateways, repository, tag, content)
    assert answer.status == 201, answer
    return content


def in_parallel(count, call):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def append(url, location, data, offset):
    headers = {"Content-Type": "application/octet-stream", "Content-Range": f"{offset}-{offset + len(data) - 1}"}
    return http.request("PATCH", url + location, body=data, headers=headers)


def push_in_chunks(gateways, repository, data, chunk):
    """A push with several PATCHes, each at the next gateway -> the answers after the first."""
    answer = http.request("POST", f"{gateways.url}/v2/{repository}/blobs/uploads/")
    assert answer.status == 202, answer
    answers = []
    for offset in range(0, len(data), chunk):
        answers.append(append(gateways.url, answer.headers["Location"], data[offset:offset + chunk], offset))
        answer = answers[-1]
        assert answer.status == 202, answer
    answers.append(http.request("PUT", f"{gateways.url}{answer.headers['Location']}?digest={digest_of(data)}"))
    return answers


@pytest.mark.parametrize("size", SIZES)
def test_a_push_whose_every_request_goes_to_another_gateway(registry, size):
    gateways, data = EveryGateway(registry), os.urandom(size)
    answers = push_in_chunks(gateways, "spread/chunks", data, size // 3 + 1)
    assert [answer.status for answer in answers] == [202, 202, 202, 201]
    for gateway in each_gateway(registry):
        check_blobs(gateway, "spread/chunks", [data])


def test_25_such_pushes_at_once(registry):
    def client(number):
        gateways = EveryGateway(registry, first=number % 2)
        layers = [os.urandom(200 * KIB) for _ in range(2)]
        for layer in layers:
            assert push_in_chunks(gateways, f"spread/many{number}", layer, 50 * KIB)[-1].status == 201
        return number, push_image(gateways, f"spread/many{number}", "v1", *layers), layers

    for number, manifest, layers in in_parallel(25, client):
        for gateway in each_gateway(registry):
            answer = gateway.request("GET", f"/v2/spread/many{number}/manifests/v1")
            assert (answer.status, answer.body) == (200, manifest)
            check_blobs(gateway, f"spread/many{number}", layers)


def test_after_a_201_each_gateway_has_tag_digest_and_list_entry(registry):
    for number in range(20):
        repository = f"spread/seen{number}"
        content = push_image(OneGateway(registry, number % 2), repository, "v1", os.urandom(10))
        for gateway in each_gateway(registry):
            for reference in ("v1", digest_of(content)):
                answer = gateway.request("GET", f"/v2/{repository}/manifests/{reference}")
                assert (answer.status, answer.body) == (200, content)
            assert gateway.request("GET", f"/v2/{repository}/tags/list").json()["tags"] == ["v1"]
            assert repository in gateway.request("GET", "/v2/_catalog?n=1000").json()["repositories"]


def test_a_moved_tag_and_a_deletion_are_seen_by_each_gateway_at_once(registry):
    one, two = each_gateway(registry)
    for number in range(20):
        content = push_image(one if number % 2 else two, "spread/moved", "latest", str(number).encode())
        for gateway in (one, two):
            assert gateway.request("GET", "/v2/spread/moved/manifests/latest").body == content
    assert two.request("DELETE", f"/v2/spread/moved/manifests/{digest_of(content)}").status == 202
    for gateway in (one, two):
        assert gateway.request("GET", "/v2/spread/moved/manifests/latest").status == 404


def test_the_same_manifest_put_at_both_gateways_at_the_same_moment(registry):
    config, layer = b"{}", os.urandom(1000)
    gateways = EveryGateway(registry)
    for number in range(20):
        repository = f"spread/twice{number}"
        for data in (config, layer):
            assert push(gateways, repository, data).status == 201
        content = image_of(config, layer)
        start = threading.Barrier(2)

        def put(which):
            start.wait()
            return put_manifest(OneGateway(registry, which), repository, "v1", content)

        answers = in_parallel(2, put)
        assert [answer.status for answer in answers] == [201, 201], answers
        for gateway in each_gateway(registry):
            assert gateway.request("GET", f"/v2/{repository}/manifests/v1").body == content


def test_one_blob_pushed_at_both_gateways_by_25_clients(registry):
    data = os.urandom(MIB)
    answers = in_parallel(25, lambda number: push(EveryGateway(registry, number % 2), "spread/same", data))
    assert {answer.status for answer in answers} == {201}
    for gateway in each_gateway(registry):
        check_blobs(gateway, "spread/same", [data])


def test_only_one_of_two_patches_at_one_offset_counts(registry):
    for _ in range(10):
        location = http.request("POST", f"{registry.url}/v2/spread/offset/blobs/uploads/").headers["Location"]
        parts = [os.urandom(100 * KIB) for _ in range(2)]
        start = threading.Barrier(2)

        def patch(number):
            start.wait()
            return append(OneGateway(registry, number).url, location, parts[number], 0)

        answers = in_parallel(2, patch)
        statuses = sorted(answer.status for answer in answers)
        assert statuses in ([202, 416], [202, 503]), answers
        (kept,) = [part for part, answer in zip(parts, answers) if answer.status == 202]
        answer = http.request("PUT", f"{registry.url}{location}?digest={digest_of(kept)}")
        assert answer.status == 201, answer
        assert pull(registry, "spread/offset", kept).body == kept


def test_a_cancelled_upload_is_gone_at_each_gateway(registry):
    one, two = each_gateway(registry)
    location = one.request("POST", "/v2/spread/cancelled/blobs/uploads/").headers["Location"]
    assert append(two.url, location, b"x" * 1000, 0).status == 202
    assert two.request("DELETE", location).status == 204
    assert [gateway.request("GET", location).status for gateway in (one, two)] == [404, 404]


def test_a_mount_from_a_repository_that_the_other_gateway_filled(registry):
    one, two = each_gateway(registry)
    data = os.urandom(100 * KIB)
    assert push(one, "spread/source", data).status == 201
    answer = two.request("POST", f"/v2/spread/mounted/blobs/uploads/?mount={digest_of(data)}&from=spread/source")
    assert answer.status == 201, answer
    check_blobs(one, "spread/mounted", [data])

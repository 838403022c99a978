"""The builds of a large CI, which all come from one address, meet no bound of memory."""

import concurrent.futures
import json
import os

import pytest

from fixtures.polling import wait_for
from hostile import raw

pytestmark = pytest.mark.alone

BUILDS = 64
LAYER_BYTES = 1024 * 1024
# That of an image with hundreds of layers: most are far smaller.
PADDING = "x" * (128 * 1024)


def build(port, number):
    """Pushes an image, pulls it and lists its tags, as a build does -> the statuses."""
    repository = f"builds/app{number % 8}"
    image = raw.image_of(port, repository, os.urandom(LAYER_BYTES))
    image["annotations"] = {"padding": PADDING}
    content = json.dumps(image).encode()
    statuses = [raw.put_manifest(port, repository, f"build-{number}", content).status]
    pulled = raw.request(port, "GET", f"/v2/{repository}/manifests/build-{number}")
    assert pulled.body == content
    layer = raw.request(port, "GET", f"/v2/{repository}/blobs/{image['layers'][0]['digest']}")
    assert len(layer.body) == LAYER_BYTES
    tags = raw.request(port, "GET", f"/v2/{repository}/tags/list")
    assert f"build-{number}" in json.loads(tags.body)["tags"]
    return [*statuses, pulled.status, layer.status, tags.status]


def test_parallel_builds_of_one_address_are_not_refused(own_registry):
    port = own_registry.port
    with concurrent.futures.ThreadPoolExecutor(BUILDS) as pool:
        answers = list(pool.map(lambda number: build(port, number), range(2 * BUILDS)))
    assert answers == [[201, 200, 200, 200]] * 2 * BUILDS
    metrics = own_registry.metrics()
    assert metrics.total("entrepot_http_body_memory_refused_total") == 0
    assert metrics.total("entrepot_list_requests_refused_total") == 0
    used = "entrepot_http_body_memory_bytes"
    wait_for(lambda: own_registry.metrics().total(used), lambda used_bytes: used_bytes == 0)

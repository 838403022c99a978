"""`warm` of the upstreams file: tags are pulled before a client asks for them. When they are pulled again is tested in
services/upstream/management."""

import os

from fixtures.polling import wait_for
from upstream.pulls import APP, KIB, hub, pull


def service(registry):
    return "upstream" if registry.mode == "split" else None


def warm_pulls(registry, result):
    return registry.metrics(service(registry)).total(
        "entrepot_upstream_warm_pulls_total", upstream="docker.io", result=result
    )


def test_a_warm_tag_is_here_before_a_client_asks(make_cache, upstream):
    image = upstream.repository("library/app").add_image(os.urandom(64 * KIB), os.urandom(100), tag="v1")
    registry = make_cache(upstream, warm=[{"repository": "app", "tags": ["v1"]}])
    wait_for(lambda: warm_pulls(registry, "ok") == 1)
    upstream.stop()
    pull(registry, APP, image)


def test_a_warm_tag_that_is_not_there_is_counted(make_cache, upstream):
    registry = make_cache(upstream)
    file = {"upstreams": [hub(upstream, warm=[{"repository": "app", "tags": ["v9"]}])]}
    registry.write_upstreams(file)
    wait_for(lambda: warm_pulls(registry, "failed") == 1)
    log = registry.processes[service(registry) or "entrepot"].log
    wait_for(lambda: "a tag that is kept warm cannot be fetched" in log.read_text())


def test_warm_tags_without_a_tag_are_refused(make_cache, upstream):
    registry = make_cache(upstream)
    registry.write_upstreams({"upstreams": [hub(upstream, warm=[{"repository": "app"}])]})
    log = registry.processes[service(registry) or "entrepot"].log
    wait_for(lambda: "upstreams[0].warm[0].tags: is required" in log.read_text())

"""What caches of an upstream need is measured, and kept below `bytes_max`."""

import os

from fixtures.faults import Faults
from fixtures.polling import wait_for
from upstream.pulls import APP, MIB, assert_unavailable, get_manifest, hub, pull
from upstream.pushes import push_image


def service(registry):
    return "upstream" if registry.mode == "split" else None


def metric(registry, name, process=None):
    return registry.metrics(process or service(registry)).total(f"entrepot_upstream_{name}", upstream="docker.io")


def measure(registry, upstream, bytes_max):
    """A new cap is a reason to measure at once."""
    registry.write_upstreams({"upstreams": [hub(upstream, bytes_max=bytes_max)]})


def blob_bytes(upstream, image):
    blobs = upstream.repository("library/app").blobs
    return sum(len(blobs[digest]) for digest in image.blobs)


def test_only_what_nothing_else_needs_counts(make_cache, upstream):
    shared = os.urandom(2 * MIB)
    image = upstream.repository("library/app").add_image(shared, os.urandom(MIB), tag="v1")
    registry = make_cache(upstream, bytes_max="1GiB")
    pull(registry, APP, image)
    need = len(image.manifest) + blob_bytes(upstream, image)
    measure(registry, upstream, "2GiB")
    wait_for(lambda: metric(registry, "room_bytes"), lambda bytes: bytes == need)
    assert metric(registry, "room_max_bytes") == 2048 * MIB
    push_image(registry.request, "team/app", [shared], "v1")
    measure(registry, upstream, "3GiB")
    wait_for(lambda: metric(registry, "room_bytes"), lambda bytes: bytes == need - len(shared))
    assert metric(registry, "evicted_images_total") == 0


def test_what_was_just_used_stays_beyond_the_cap(make_cache, upstream):
    image = upstream.repository("library/app").add_image(os.urandom(3 * MIB), tag="v1")
    registry = make_cache(upstream)
    pull(registry, APP, image)
    measure(registry, upstream, "1MiB")
    log = registry.processes[service(registry) or "entrepot"].log
    line = "the caches of an upstream need more than bytes_max after an eviction"
    wait_for(lambda: line in log.read_text())
    assert metric(registry, "room_bytes") > metric(registry, "room_max_bytes") == MIB
    assert metric(registry, "evicted_images_total") == 0
    upstream.stop()
    pull(registry, APP, image)


def test_the_least_recently_used_image_is_evicted(make_cache, upstream, tmp_path):
    repository = upstream.repository("library/app")
    shared = os.urandom(3 * MIB)
    hosted = repository.add_image(shared, tag="hosted")
    old, new = (repository.add_image(os.urandom(3 * MIB), tag=tag) for tag in ("old", "new"))
    registry = make_cache(upstream)
    for image in (hosted, old, new):
        pull(registry, APP, image)
    ours = push_image(registry.request, "team/app", [shared], "v1")
    # Two hours later.
    faults = Faults(tmp_path / "faults")
    faults.set(clock_offset=2 * 3600)
    registry.set_environment({"*": faults.environment})
    registry.restart()
    pull(registry, APP, new)
    measure(registry, upstream, "5MiB")
    wait_for(lambda: metric(registry, "evicted_images_total"), seconds=30)
    assert metric(registry, "evicted_images_total") == 1
    assert 3 * MIB < metric(registry, "room_bytes") < 3.1 * MIB
    assert 3 * MIB <= metric(registry, "evicted_bytes_total") < 3.1 * MIB
    assert 2 * 3600 - 60 < metric(registry, "evicted_idle_seconds") < 2 * 3600 + 600
    assert "evicted images of an upstream" in registry.processes[service(registry) or "entrepot"].log.read_text()
    upstream.stop()
    pull(registry, APP, new)
    pull(registry, APP, new, new.digest)
    pull(registry, APP, hosted)
    pull(registry, "team/app", ours)
    assert_unavailable(get_manifest(registry, APP, "old"))
    assert_unavailable(get_manifest(registry, APP, old.digest))


def test_a_cap_without_a_unit_is_refused(make_cache, upstream):
    registry = make_cache(upstream)
    measure(registry, upstream, "200")
    refused = {"result": "failure"}
    wait_for(lambda: registry.metrics(service(registry)).total("entrepot_upstreams_reloads_total", **refused))
    log = registry.processes[service(registry) or "entrepot"].log.read_text()
    assert "upstreams[0].bytes_max: must be from 1MiB to 1024TiB" in log


def test_served_and_fetched_bytes_show_what_was_saved(make_cache, upstream):
    image = upstream.repository("library/app").add_image(os.urandom(2 * MIB), os.urandom(1000), tag="v1")
    registry = make_cache(upstream)
    for _ in range(3):
        pull(registry, APP, image)
    once = blob_bytes(upstream, image)
    gateway = registry.main_name()
    wait_for(lambda: metric(registry, "served_bytes_total", gateway), lambda bytes: bytes == 3 * once)
    assert metric(registry, "fetched_bytes_total") == once
    assert metric(registry, "time_to_first_byte_seconds_count") == 1 + len(image.blobs)

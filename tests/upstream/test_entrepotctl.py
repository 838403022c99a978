"""`entrepotctl upstreams` against registries that run."""

import json
import os
import pty
import subprocess
import threading

from fixtures.accounts import PASSWORDS
from fixtures.polling import wait_for
from fixtures.registry import PROGRAMS
from fixtures.scripted_upstream import INDEX, MANIFEST, Gate, trickled
from upstream.pulls import KIB, assert_unavailable, blobs, get_manifest, manifests, pull

CTL = PROGRAMS / "entrepotctl"


def ctl(registry, *words, code=0, stderr=subprocess.STDOUT, env=None):
    """What `entrepotctl upstreams` printed."""
    env = {"ENTREPOT_REGISTRY": registry.url, **(env or {})}
    done = subprocess.run([CTL, "upstreams", *words], env=env, stdout=subprocess.PIPE, stderr=stderr, text=True,
                          check=False, timeout=120)  # fmt: skip
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}"
    return done.stdout


def ctl_json(registry, *words, **options):
    return json.loads(ctl(registry, *words, "--output", "json", **options))


def status_of(registry, upstream):
    return ctl_json(registry, "status", upstream.name)["upstreams"][0]


def add_image(upstream, tag="v1"):
    return upstream.repository("library/app").add_image(os.urandom(64 * KIB), os.urandom(100), tag=tag)


def test_list_and_status_show_an_upstream(cache, app, upstream):
    image = add_image(upstream)
    before = status_of(cache, upstream)
    assert before["url"] == upstream.url and before["state"] == "ok"
    pull(cache, app, image)
    pull(cache, app, image)
    # A gateway of its own tells the upstream service what it has answered alone, with its next call.
    assert get_manifest(cache, app, "missing").status == 404
    after = status_of(cache, upstream)
    assert int(after["misses"]) == 1 and int(after["hits"]) >= 1 and int(after["bytesFetched"]) >= 64 * KIB
    assert after["rateLimitRemaining"] == "-1"
    row = next(line for line in ctl(cache, "list").splitlines() if line.startswith(upstream.name + " "))
    assert upstream.url in row and row.endswith("ok")
    assert "rate limit  not stated" in ctl(cache, "status", upstream.name)
    assert 'no upstream "u999"' in ctl(cache, "status", "u999", code=1)


def test_test_names_the_step_that_fails(cache, upstream):
    add_image(upstream)
    words = ("test", upstream.name, "--repository", "library/app", "--reference")
    steps = {step["name"]: step["result"] for step in ctl_json(cache, *words, "v1")["steps"]}
    assert steps["address"] == steps["connection"] == steps["manifest"] == "OK", steps
    assert steps["TLS"] == "SKIPPED", "the upstream has http"
    steps = {step["name"]: step["result"] for step in ctl_json(cache, *words, "v2", code=1)["steps"]}
    assert steps["connection"] == "OK" and steps["manifest"] == "FAILED", steps
    upstream.stop()
    text = ctl(cache, *words, "v1", code=1)
    assert any(line.startswith("connection") and " FAILED " in line for line in text.splitlines()), text
    assert "no upstream" in ctl(cache, "test", "u999", code=1)


def test_a_pulled_image_is_here(cache, app, upstream):
    image = add_image(upstream)
    pulled = ctl_json(cache, "pull", f"{app}:v1")
    assert pulled["digest"] == image.digest and pulled["blobs"] == pulled["blobsDone"] == len(image.blobs)
    text = ctl(cache, "pull", f"{app}:v1@{image.digest}")
    assert text.startswith(f"pulled {app}:v1@{image.digest}, {image.digest}\n"), text
    assert text.endswith(f"{len(image.blobs)} blobs were here before\n"), text
    upstream.stop()
    pull(cache, app, image)


def test_a_pull_takes_the_wanted_platforms(cache, app, upstream):
    repository = upstream.repository("library/app")
    images = {name: repository.add_image(os.urandom(KIB), architecture=name) for name in ("amd64", "arm64")}
    children = [
        {**repository.descriptor(MANIFEST, image.digest), "platform": {"os": "linux", "architecture": name}}
        for name, image in images.items()
    ]
    repository.add_manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}, tag="multi")
    ctl(cache, "pull", f"{app}:multi", "--platform", "linux/arm64")
    assert upstream.count("GET", blobs(images["arm64"].layers[0])) == 1
    assert upstream.count("GET", blobs(images["amd64"].layers[0])) == 0
    assert "linux/s390x" in ctl(cache, "pull", f"{app}:multi", "--platform=linux/s390x", code=1)
    assert "the job failed" in ctl(cache, "pull", f"{app}:none", code=1)


def test_a_pull_shows_a_bar_on_a_terminal(cache, app, upstream):
    image = upstream.repository("library/app").add_image(os.urandom(4096 * KIB), tag="v1")
    gate = Gate()
    upstream.rule(blobs(image.layers[0]), trickled(gate, 1024 * KIB), "GET")
    terminal, end = pty.openpty()
    shown = []

    def read():
        try:
            while data := os.read(terminal, 4096):
                shown.append(data.decode())
        except OSError:  # The other end is closed.
            pass

    reader = threading.Thread(target=read)
    reader.start()
    pulled = []
    puller = threading.Thread(target=lambda: pulled.append(ctl(cache, "pull", f"{app}:v1", stderr=end)))
    puller.start()
    gate.wait_reached()
    gate.let(2)
    wait_for(lambda: "[=========" in "".join(shown))
    gate.open()
    puller.join()
    os.close(end)
    reader.join()
    os.close(terminal)
    assert " of 4.0 MiB, " in "".join(shown)
    assert "".join(shown).endswith("\033[K"), "the bar is erased"
    assert pulled[0].startswith(f"pulled {app}:v1, {image.digest}\n")


def test_an_evicted_image_is_asked_for_again(cache, app, upstream):
    image, other = add_image(upstream), add_image(upstream, "v2")
    pull(cache, app, image)
    pull(cache, app, other)
    dry = ctl(cache, "evict", f"{app}:v1", "--dry-run")
    assert dry.startswith("1 image would be evicted") and image.digest in dry, dry
    pull(cache, app, image)
    assert upstream.count("GET", manifests(image.digest)) <= 1
    done = ctl_json(cache, "evict", f"{app}:v1")
    assert [each["digest"] for each in done["images"]] == [image.digest]
    assert int(done["freedBytes"]) > 64 * KIB
    upstream.stop()
    assert_unavailable(get_manifest(cache, app, "v1"))
    pull(cache, app, other)
    everything = ctl(cache, "evict", upstream.name, "--all")
    assert everything.startswith("1 image evicted"), everything
    assert_unavailable(get_manifest(cache, app, "v2"))


def test_a_registry_without_upstreams_says_so(registry):
    assert "this registry has no upstreams" in ctl(registry, "list", code=1)


def test_only_administrators_may_use_it(make_secured_registry, mode, upstream):
    image = add_image(upstream)
    registry = make_secured_registry(upstreams={"upstreams": [{"name": "docker.io", "url": upstream.url}]})

    def as_account(name, *words, **options):
        env = {"ENTREPOT_USERNAME": name, "ENTREPOT_PASSWORD": PASSWORDS[name]}
        return ctl(registry, *words, "--ca-file", registry.ca, env=env, **options)

    assert image.digest in as_account("admin", "pull", "docker.io/library/app:v1")
    log = registry.processes["upstream"].log if mode == "split" else registry.audit_file
    lines = [json.loads(line) for line in log.read_text().splitlines() if '"event":"upstreams"' in line]
    assert [(line["account"], line["command"]) for line in lines] == [("admin", "pull")]
    for words in (("list",), ("pull", "docker.io/library/app:v1"), ("evict", "docker.io", "--all")):
        assert "403 DENIED" in as_account("ci", *words, code=1)
    assert "ENTREPOT_USERNAME" in ctl(registry, "list", "--ca-file", registry.ca, code=2)
    assert "1 image would" in as_account("admin", "evict", "docker.io", "--all", "--dry-run")

"""A kill between any two writes loses nothing that was acknowledged; a retry succeeds, and partial work is cleaned up.

At each failpoint (services/core/failpoint/failpoint.h) a test kills the process once, during a request that reaches it.
"""

import contextlib
import http.client
import json
import os
import shutil

import pytest

from fault.content import (
    BLOB_SIZES,
    check_blobs,
    digest_of,
    image_of,
    pull,
    push,
    push_blobs,
    put_manifest,
    wait_until_pushes_work,
)
from fault.objects import files_of
from fixtures import http as requests
from fixtures.polling import wait_for

# The failpoints that only blobs stored as files reach.
OF_FILES = ("blob.append.written", "blob.publish", "blob.seal.published")
FILE_BYTES_MIN = 65536
# (process, failpoint): the process is that of split mode.
UPLOAD_STEPS = (
    ("blob", "blob.append.written"),
    ("blob", "blob.session.saved"),
    ("blob", "blob.publish.synced"),
    ("blob", "blob.publish.renamed"),
    ("blob", "blob.publish.directory_synced"),
    ("blob", "blob.seal.published"),
    ("blob", "blob.seal.recorded"),
    ("gateway", "gateway.upload.sealed"),
    ("gateway", "gateway.upload.committed"),
    ("gateway", "gateway.upload.forgotten"),
)
UPLOADS = [
    (process, step, size)
    for process, step in UPLOAD_STEPS
    for size in BLOB_SIZES
    if size >= FILE_BYTES_MIN or not step.startswith(OF_FILES)
]
PUT_STEPS = (
    ("manifest", "manifest.put.written"),
    ("manifest", "manifest.put.committed"),
    ("gateway", "gateway.manifest.put"),
)
DELETE_STEPS = (
    ("manifest", "manifest.delete.written"),
    ("manifest", "manifest.delete.committed"),
    ("gateway", "gateway.manifest.deleted"),
)
TAG_STEPS = (
    ("manifest", "manifest.delete_tag.written"),
    ("manifest", "manifest.delete_tag.committed"),
)
COLLECTOR_STEPS = (
    ("manifest", "manifest.collector.condemned"),
    ("manifest", "manifest.collector.deleted"),
    ("blob", "blob.delete.unlinked"),
    ("blob", "blob.delete.synced"),
    ("blob", "blob.delete.recorded"),
    ("manifest", "manifest.collector.object_deleted"),
    ("manifest", "manifest.collector.intent_removed"),
)
ORPHAN_STEPS = (
    ("manifest", "manifest.collector.suspect_marked"),
    ("blob", "blob.quarantine.renamed"),
    ("manifest", "manifest.collector.quarantined"),
)


class Killed:
    """Kills a process of the registry at a failpoint: arm() before the requests that reach it, recover() after them."""

    def __init__(self, registry):
        self.registry = registry
        self._name = None

    def arm(self, process, step):
        self._name = process if self.registry.mode == "split" else "entrepot"
        self.registry.kill9(self._name)
        self.registry.set_failpoints({process: f"{step}=crash"})
        self.registry.processes[self._name].launch()
        # Work that an earlier test left may reach the failpoint at once.
        wait_for(lambda: not self.registry.processes[self._name].alive() or self._is_up())

    def _is_up(self):
        """Whether requests to all services are answered."""
        up = ask("POST", f"{self.registry.url}/v2/fault/up/blobs/uploads/")
        return up is not None and ask("GET", f"{self.registry.url}/v2/fault/up/tags/list") is not None

    def recover(self, seconds=10):
        """Waits for the kill, and starts the process again. Fails if the failpoint was not reached."""
        process = self.registry.processes[self._name]
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not process.alive(), seconds=seconds, pause=0.02)
        reached = not process.alive()
        self.registry.kill9(self._name)
        self.registry.set_failpoints({})
        self.registry.start(self._name)
        wait_for(self._is_up)
        assert reached, "the failpoint was not reached"


def ask(*arguments, **options):
    """Returns the answer; None if there was none, or a 503."""
    try:
        answer = requests.request(*arguments, **options, timeout=20)
    except (OSError, http.client.HTTPException):
        return None
    assert answer.status < 500 or answer.status == 503, answer
    return None if answer.status == 503 else answer


@pytest.fixture(name="killed", scope="module")
def fixture_killed(make_module_registry):
    registry = make_module_registry(config={"collector": {"disabled": True}}, failpoints={})
    yield Killed(registry)
    registry.check_stopped()


@pytest.fixture(name="collected", scope="module")
def fixture_collected(make_module_registry):
    """A registry whose collector has next to no lease and grace."""
    collector = {
        "lease": "0.3s",
        "grace": "0.1s",
        "interval": "0.1s",
        "orphan_age": "1s",
        "orphan_interval": "0.2s",
        "scrub": {"disabled": True},
    }
    # The object of an upload that was sealed but not committed is deleted when its upload session ends.
    config = {"collector": collector, "uploads": {"session_lifetime": "2s"}}
    registry = make_module_registry(config=config, failpoints={})
    yield Killed(registry)
    registry.check_stopped()


@pytest.mark.parametrize(("process", "step", "size"), UPLOADS)
def test_kill_during_an_upload_keeps_acknowledged_bytes(killed, process, step, size):
    registry = killed.registry
    kept = push_blobs(registry, "fault/upload")
    data = os.urandom(size)
    killed.arm(process, step)
    url = f"{registry.url}/v2/fault/upload/blobs/uploads/"
    location = finish = None
    with contextlib.suppress(AttributeError, TypeError):  # ask() returned None.
        location = registry.url + ask("POST", url).headers["Location"]
        sent = ask("PATCH", location, body=data[: size // 2]).status
        assert sent == 202
        finish = ask("PUT", f"{location}?digest={digest_of(data)}", body=data[size // 2 :])
    killed.recover()
    check_blobs(registry, "fault/upload", kept)
    if finish is not None:
        assert finish.status == 201
        check_blobs(registry, "fault/upload", [data])
    # The blob is absent or complete.
    answer = pull(registry, "fault/upload", data)
    assert answer.status == 404 or answer.body == data, answer
    if location is not None:
        finish_upload(registry, location, data)
    assert push(registry, "fault/upload", data).status == 201
    check_blobs(registry, "fault/upload", [data, *kept])


def finish_upload(registry, location, data):
    """The upload session is gone, or continues after the bytes that it durably holds."""
    answer = requests.request("GET", location)
    if answer.status == 404:
        return
    assert answer.status == 204, answer
    last = int(answer.headers["Range"].split("-")[1])
    offset = last + 1 if last else 0
    assert offset in (0, len(data) // 2, len(data))
    answer = requests.request("PUT", f"{location}?digest={digest_of(data)}", body=data[offset:])
    assert answer.status == 201, answer
    check_blobs(registry, "fault/upload", [data])


def push_image(registry, repository, tag):
    """-> (the manifest, its blobs)."""
    blobs = push_blobs(registry, repository)
    content = image_of(*blobs)
    assert put_manifest(registry, repository, tag, content).status == 201
    return content, blobs


def get_manifest(registry, repository, reference):
    return requests.request("GET", f"{registry.url}/v2/{repository}/manifests/{reference}")


@pytest.mark.parametrize(("process", "step"), PUT_STEPS)
def test_kill_during_a_manifest_put_leaves_manifest_and_tag_consistent(killed, process, step):
    registry = killed.registry
    before, _ = push_image(registry, "fault/put", "tag")
    blobs = push_blobs(registry, "fault/put")
    content = image_of(*blobs)
    killed.arm(process, step)
    url = f"{registry.url}/v2/fault/put/manifests/tag"
    assert ask("PUT", url, body=content, headers={"Content-Type": content_type(content)}) is None
    killed.recover()
    by_tag = get_manifest(registry, "fault/put", "tag").body
    by_digest = get_manifest(registry, "fault/put", digest_of(content))
    assert (by_tag, by_digest.status) in ((before, 404), (content, 200))
    assert put_manifest(registry, "fault/put", "tag", content).status == 201
    assert get_manifest(registry, "fault/put", "tag").body == content
    check_blobs(registry, "fault/put", blobs)


def content_type(content):
    return json.loads(content)["mediaType"]


@pytest.mark.parametrize(("process", "step"), DELETE_STEPS)
def test_kill_during_a_manifest_delete_removes_manifest_and_tag_together(killed, process, step):
    registry = killed.registry
    content, blobs = push_image(registry, "fault/delete", "tag")
    killed.arm(process, step)
    url = f"{registry.url}/v2/fault/delete/manifests/{digest_of(content)}"
    assert ask("DELETE", url) is None
    killed.recover()
    statuses = [get_manifest(registry, "fault/delete", each).status for each in ("tag", digest_of(content))]
    assert statuses in ([200, 200], [404, 404])
    assert requests.request("DELETE", url).status == (202 if statuses[0] == 200 else 404)
    assert get_manifest(registry, "fault/delete", "tag").status == 404
    # The lease still protects its blobs.
    assert put_manifest(registry, "fault/delete", "tag", content).status == 201
    check_blobs(registry, "fault/delete", blobs)


@pytest.mark.parametrize(("process", "step"), TAG_STEPS)
def test_kill_during_a_tag_delete_keeps_the_manifest(killed, process, step):
    registry = killed.registry
    content, _ = push_image(registry, "fault/tag", "tag")
    killed.arm(process, step)
    url = f"{registry.url}/v2/fault/tag/manifests/tag"
    assert ask("DELETE", url) is None
    killed.recover()
    status = get_manifest(registry, "fault/tag", "tag").status
    assert requests.request("DELETE", url).status == (202 if status == 200 else 404)
    assert get_manifest(registry, "fault/tag", "tag").status == 404
    assert get_manifest(registry, "fault/tag", digest_of(content)).body == content


@pytest.mark.parametrize(("process", "step"), COLLECTOR_STEPS)
def test_kill_of_the_collector_is_recovered_by_its_next_run(collected, process, step):
    registry = collected.registry
    kept, blobs = push_image(registry, "fault/collect", "kept")
    dead = [os.urandom(size) for size in BLOB_SIZES]
    collected.arm(process, step)
    for data in dead:
        with contextlib.suppress(OSError, http.client.HTTPException):
            push(registry, "fault/collect", data)
    collected.recover()
    # The next run deletes the rest.
    wait_for(lambda: not files_of(registry, dead[1]))
    # The pause is longer than the lease, since each pull of a blob that exists renews its lease.
    wait_for(lambda: [pull(registry, "fault/collect", data).status for data in dead] == [404, 404], pause=1)
    check_blobs(registry, "fault/collect", blobs)
    assert get_manifest(registry, "fault/collect", "kept").body == kept
    delete_image(registry, "fault/collect", kept, blobs)
    wait_until_pushes_work(registry, "fault/collect")


def delete_image(registry, repository, content, blobs):
    assert requests.request("DELETE", f"{registry.url}/v2/{repository}/manifests/{digest_of(content)}").status == 202
    wait_for(lambda: not files_of(registry, blobs[1]))


@pytest.mark.parametrize(("process", "step"), ORPHAN_STEPS)
def test_kill_during_the_quarantine_of_an_unknown_object_is_recovered(collected, process, step):
    registry = collected.registry
    kept, blobs = push_image(registry, "fault/orphan", "kept")
    (known,) = files_of(registry, blobs[1])
    collected.arm(process, step)
    orphan = known.with_name(known.name[:-4] + ("0000" if known.name[-4:] != "0000" else "1111"))
    shutil.copyfile(known, orphan)
    collected.recover()
    wait_for(lambda: not orphan.exists())
    check_blobs(registry, "fault/orphan", blobs)
    delete_image(registry, "fault/orphan", kept, blobs)

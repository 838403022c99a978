"""kill -9 of any process at any moment: what was acknowledged stays, and what was under way continues or starts anew."""

import concurrent.futures
import hashlib
import json
import random
import threading
import time

import pytest

from fixtures import http

CHUNK_BYTES = 300_000
CHUNKS = 6
PROCESSES = {"standalone": ("entrepot",), "split": ("gateway", "blob", "manifest")}
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def call(method, url, **arguments):
    """An answer, or None where there was none, or none that means anything (503)."""
    try:
        answer = http.request(method, url, timeout=15, **arguments)
    except OSError:
        return None
    except Exception as error:  # http.client's own errors: an answer that broke off.
        if type(error).__module__ != "http.client":
            raise
        return None
    assert answer.status == 503 or answer.status < 500, answer
    return None if answer.status == 503 else answer


def start(registry, repository):
    answer = http.request("POST", f"{registry.url}/v2/{repository}/blobs/uploads/")
    assert answer.status == 202, answer
    return registry.url + answer.headers["Location"]


def held(location):
    """How many bytes the session holds; None where it is gone. An empty one says 0-0, as does one of a single byte."""
    answer = http.request("GET", location)
    if answer.status == 404:
        return None
    assert answer.status == 204, answer
    last = int(answer.headers["Range"].split("-")[1])
    return last + 1 if last else 0


def append(location, data, offset):
    headers = {"Content-Type": "application/octet-stream", "Content-Range": f"{offset}-{offset + len(data) - 1}"}
    return http.request("PATCH", location, body=data, headers=headers)


@pytest.mark.parametrize("chunk", range(CHUNKS + 1))
def test_between_chunks(registry, chunk):
    for name in PROCESSES[registry.mode]:
        kill_between_chunks(registry, name, chunk)


def kill_between_chunks(registry, name, chunk):
    data = random.Random(f"{chunk} {name}").randbytes(CHUNK_BYTES * CHUNKS)
    location = start(registry, "fault/between")
    for number in range(chunk):
        offset = number * CHUNK_BYTES
        assert append(location, data[offset:offset + CHUNK_BYTES], offset).status == 202
    registry.kill9(name)
    registry.start(name)
    # Every PATCH was answered with 202 before: the session goes on where it was.
    assert held(location) == chunk * CHUNK_BYTES
    for number in range(chunk, CHUNKS):
        offset = number * CHUNK_BYTES
        assert append(location, data[offset:offset + CHUNK_BYTES], offset).status == 202
    assert http.request("PUT", f"{location}?digest={digest_of(data)}").status == 201
    assert http.request("GET", f"{registry.url}/v2/fault/between/blobs/{digest_of(data)}").body == data


@pytest.mark.parametrize("after_bytes", [1, 70_000, 20_000_000])
def test_within_a_chunk(registry, after_bytes):
    for name in PROCESSES[registry.mode]:
        kill_within_a_chunk(registry, name, after_bytes)


def kill_within_a_chunk(registry, name, after_bytes):
    data = random.Random(f"{after_bytes} {name}").randbytes(24_000_000)
    location = start(registry, "fault/within")
    reached = threading.Event()
    killed = threading.Event()

    def body():
        yield data[:after_bytes]
        reached.set()
        killed.wait(20)
        for offset in range(after_bytes, len(data), 1_000_000):
            yield data[offset:offset + 1_000_000]

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, "PATCH", location, body=body())
        assert reached.wait(20)
        time.sleep(random.Random(after_bytes).random() / 5)
        registry.kill9(name)
        killed.set()
        answer.result()
    registry.start(name)
    offset = held(location)
    if offset is None:
        location, offset = start(registry, "fault/within"), 0
    assert offset <= len(data)
    if offset < len(data):
        assert append(location, data[offset:], offset).status == 202
    assert http.request("PUT", f"{location}?digest={digest_of(data)}").status == 201
    assert http.request("GET", f"{registry.url}/v2/fault/within/blobs/{digest_of(data)}").body == data


class Pusher:
    """Pushes small and larger images until told to stop, and remembers what was acknowledged."""

    def __init__(self, registry, number, stop):
        self.base = f"{registry.url}/v2/fault/load{number}"
        self.random = random.Random(number)
        self.stop = stop
        self.blobs = {}  # digest: bytes
        self.manifests = {}  # digest: bytes
        self.tags = {}  # tag: digests that it may have: the last acknowledged one, and those of pushes without an answer

    def run(self):
        number = 0
        while not self.stop.is_set():
            self.push_image(f"t{number % 5}")
            number += 1
        return number

    def push_blob(self, data):
        digest = digest_of(data)
        while not self.stop.is_set():
            answer = call("POST", f"{self.base}/blobs/uploads/")
            if answer is None or answer.status != 202:
                continue
            location = self.base[:self.base.index("/v2/")] + answer.headers["Location"]
            middle = self.random.randrange(len(data))
            answer = call("PATCH", location, body=data[:middle])
            if answer is None or answer.status != 202:
                continue
            answer = call("PUT", f"{location}?digest={digest}", body=data[middle:])
            if answer is not None and answer.status == 201:
                self.blobs[digest] = data
                return {"digest": digest, "size": len(data)}
        return None

    def push_image(self, tag):
        size = self.random.choice([100, 5_000, 65_536, 65_537, 1_000_000])
        layer = self.push_blob(self.random.randbytes(size))
        config = self.push_blob(b'{"n":%d}' % self.random.randrange(2**60))
        if layer is None or config is None:
            return
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **layer}],
        }).encode()
        digest = digest_of(manifest)
        self.tags.setdefault(tag, set()).add(digest)
        answer = call("PUT", f"{self.base}/manifests/{tag}", body=manifest, headers={"Content-Type": OCI_MANIFEST})
        if answer is not None:
            # Its blobs were acknowledged: nothing is missing.
            assert answer.status == 201, answer
            self.manifests[digest] = manifest
            self.tags[tag] = {digest}

    def check(self):
        for digest, data in self.blobs.items():
            answer = http.request("GET", f"{self.base}/blobs/{digest}")
            assert (answer.status, answer.body) == (200, data), digest
        for digest, content in self.manifests.items():
            answer = http.request("GET", f"{self.base}/manifests/{digest}")
            assert (answer.status, answer.body) == (200, content), digest
        for tag, digests in self.tags.items():
            answer = http.request("GET", f"{self.base}/manifests/{tag}")
            if answer.status == 404:
                assert not digests & set(self.manifests), tag
            else:
                assert answer.headers["Docker-Content-Digest"] in digests, tag


def test_under_a_load_of_pushes(own_registry):
    stop = threading.Event()
    pushers = [Pusher(own_registry, number, stop) for number in range(4)]
    moments = random.Random(4)
    with concurrent.futures.ThreadPoolExecutor(len(pushers)) as pool:
        runs = [pool.submit(pusher.run) for pusher in pushers]
        try:
            for _ in range(12):
                time.sleep(moments.uniform(0.2, 1.2))
                name = moments.choice(PROCESSES[own_registry.mode])
                own_registry.kill9(name)
                own_registry.start(name)
            time.sleep(1)
        finally:
            stop.set()
        pushed = sum(run.result() for run in runs)
    assert pushed > 20
    assert sum(len(pusher.manifests) for pusher in pushers) > 20
    for pusher in pushers:
        pusher.check()
    own_registry.restart()
    for pusher in pushers:
        pusher.check()

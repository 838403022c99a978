"""kill -9 of any process at any moment loses nothing that was acknowledged, and uploads continue."""

import concurrent.futures
import random
import threading
import time

import pytest

from fault.content import MIB, digest_of
from fault.objects import blob_directory
from fixtures import http
from fixtures.load import Load
from fixtures.polling import wait_for
from fixtures.workload import Client

CHUNK_BYTES = 300_000
CHUNKS = 6
# A kill leaves the bytes up to a multiple of it (docs/life-of-a-push.md).
CHECKPOINT_BYTES = 16 * MIB
PROCESSES = {"standalone": ("entrepot",), "split": ("gateway", "blob", "manifest")}


def call(method, url, **arguments):
    """Returns the answer; None if there was none, or a 503."""
    try:
        answer = http.request(method, url, timeout=15, **arguments)
    except OSError:
        return None
    except Exception as error:  # An error of http.client: the answer was incomplete.
        if type(error).__module__ != "http.client":
            raise
        return None
    assert answer.status == 503 or answer.status < 500, answer
    return None if answer.status == 503 else answer


def start_upload(registry, repository):
    answer = http.request("POST", f"{registry.url}/v2/{repository}/blobs/uploads/")
    assert answer.status == 202, answer
    return registry.url + answer.headers["Location"]


def held(location):
    """How many bytes the upload session holds. `0-0` is taken for an empty session."""
    answer = http.request("GET", location)
    assert answer.status == 204, answer
    last = int(answer.headers["Range"].split("-")[1])
    return last + 1 if last else 0


def append(location, data, offset):
    headers = {"Content-Type": "application/octet-stream", "Content-Range": f"{offset}-{offset + len(data) - 1}"}
    return http.request("PATCH", location, body=data, headers=headers)


def staged_bytes(registry):
    """The bytes of uploads that are in files."""
    return sum(path.stat().st_size for path in (blob_directory(registry) / "staging").iterdir())


@pytest.mark.parametrize("chunk", range(CHUNKS + 1))
def test_upload_continues_after_a_kill_between_chunks(registry, chunk):
    for name in PROCESSES[registry.mode]:
        kill_between_chunks(registry, name, chunk)


def kill_between_chunks(registry, name, chunk):
    data = random.Random(f"{chunk} {name}").randbytes(CHUNK_BYTES * CHUNKS)
    location = start_upload(registry, "fault/between")
    for number in range(chunk):
        offset = number * CHUNK_BYTES
        assert append(location, data[offset:offset + CHUNK_BYTES], offset).status == 202
    registry.kill9(name)
    registry.start(name)
    # Each PATCH was acknowledged with 202, so the session still holds their bytes.
    assert held(location) == chunk * CHUNK_BYTES
    for number in range(chunk, CHUNKS):
        offset = number * CHUNK_BYTES
        assert append(location, data[offset:offset + CHUNK_BYTES], offset).status == 202
    assert http.request("PUT", f"{location}?digest={digest_of(data)}").status == 201
    assert http.request("GET", f"{registry.url}/v2/fault/between/blobs/{digest_of(data)}").body == data


@pytest.mark.parametrize("after_bytes", [1, 70_000, 10_000_000, 20_000_000])
def test_upload_continues_after_a_kill_within_a_chunk(registry, after_bytes):
    for name in PROCESSES[registry.mode]:
        kill_within_a_chunk(registry, name, after_bytes)


def kill_within_a_chunk(registry, name, after_bytes):
    data = random.Random(f"{after_bytes} {name}").randbytes(24_000_000)
    location = start_upload(registry, "fault/within")
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
        if after_bytes > CHECKPOINT_BYTES:
            wait_for(lambda: staged_bytes(registry) > CHECKPOINT_BYTES + 2 * MIB)
        # A random pause: the registry is killed at any moment of receiving and writing those bytes.
        time.sleep(random.Random(after_bytes).random() / 5)
        registry.kill9(name)
        killed.set()
        answer.result()
    registry.start(name)
    offset = held(location)
    assert (CHECKPOINT_BYTES if after_bytes > CHECKPOINT_BYTES else 0) <= offset <= len(data)
    if offset < len(data):
        assert append(location, data[offset:], offset).status == 202
    assert http.request("PUT", f"{location}?digest={digest_of(data)}").status == 201
    assert http.request("GET", f"{registry.url}/v2/fault/within/blobs/{digest_of(data)}").body == data


def test_kills_under_load_lose_nothing_acknowledged(own_registry):
    clients = [Client(own_registry.url, str(number), 4) for number in range(4)]
    moments = random.Random(4)
    with Load(clients) as load:
        for _ in range(12):
            load.run_for(moments.uniform(0.2, 1.2))
            name = moments.choice(PROCESSES[own_registry.mode])
            own_registry.kill9(name)
            own_registry.start(name)
        load.wait_for_progress(requests=50)
    assert sum(client.counts["manifests"] for client in clients) > 20
    check(clients)
    own_registry.restart()
    check(clients)
    own_registry.check_stopped()


def check(clients):
    now = time.monotonic()
    for client in clients:
        assert client.check(now, now) == []

"""Full disks and exhausted limits: pushes are refused clearly, all else continues, and pushes work again once there is
space."""

import contextlib
import os
import resource
import time

import pytest

from fault.content import (
    KIB,
    MIB,
    assert_unavailable,
    check_blobs,
    image_of,
    pull,
    push,
    push_blobs,
    put_manifest,
    wait_until_pushes_work,
)
from fixtures import http
from fixtures.disk import small_disk


@pytest.fixture(name="disk_of")
def fixture_disk_of(tmp_path):
    """disk_of(name, size, inodes=None) -> a directory on a new disk."""
    with contextlib.ExitStack() as stack:
        yield lambda name, size, inodes=None: stack.enter_context(small_disk(tmp_path / name, size, inodes))


def fill(directory, leave):
    """Creates a file that leaves `leave` bytes of the disk free -> its path."""
    free = os.statvfs(directory)
    ballast = directory / "ballast"
    with open(ballast, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - leave)
    return ballast


def check_reads_and_deletes(registry, repository, kept):
    """Pulls and then deletes the image `kept` = (manifest, its blobs)."""
    content, blobs = kept
    check_blobs(registry, repository, blobs)
    url = f"{registry.url}/v2/{repository}/manifests/kept"
    assert http.request("GET", url).body == content
    assert http.request("DELETE", url).status == 202
    assert http.request("GET", url).status == 404


def push_kept(registry, repository):
    blobs = push_blobs(registry, repository)
    content = image_of(*blobs)
    assert put_manifest(registry, repository, "kept", content).status == 201
    return content, blobs


def test_full_disk_of_blobs_refuses_only_pushes(disk_of, make_registry, tmp_path):
    """In split mode the catalog is on another disk; in standalone mode all data is on this disk."""
    disk = disk_of("blobs", 192 * MIB)
    registry = make_registry(data=tmp_path / "registry", move={"blob": disk})
    kept = push_kept(registry, "fault/full")
    ballast = fill(disk, 20 * MIB)
    for size in (5_000, 300 * KIB, 8 * MIB):
        data = os.urandom(size)
        assert_unavailable(push(registry, "fault/full", data))
        assert pull(registry, "fault/full", data).status == 404
    check_reads_and_deletes(registry, "fault/full", kept)
    ballast.unlink()
    wait_until_pushes_work(registry, "fault/full")


@pytest.mark.modes("split")
def test_full_disk_of_the_catalog_refuses_only_pushes(disk_of, make_registry, tmp_path):
    disk = disk_of("catalog", 192 * MIB)
    registry = make_registry(data=tmp_path / "registry", move={"manifest": disk})
    kept = push_kept(registry, "fault/full")
    # Less than the reserve, a part of which deletes may use.
    ballast = fill(disk, 6 * MIB)
    for size in (5_000, 300 * KIB):
        assert_unavailable(push(registry, "fault/full", os.urandom(size)))
    assert_unavailable(put_manifest(registry, "fault/full", "more", kept[0]))
    check_reads_and_deletes(registry, "fault/full", kept)
    ballast.unlink()
    wait_until_pushes_work(registry, "fault/full")


def test_disk_without_inodes_refuses_only_pushes(disk_of, make_registry, tmp_path):
    inodes = 1024
    disk = disk_of("names", 192 * MIB, inodes)
    registry = make_registry(data=tmp_path / "registry", move={"blob": disk})
    kept = push_kept(registry, "fault/names")
    ballast = disk / "names"
    ballast.mkdir()
    taken = [ballast / str(number) for number in range(inodes)]
    with pytest.raises(OSError):
        for file in taken:
            file.touch()
    data = os.urandom(300 * KIB)
    assert_unavailable(push(registry, "fault/names", data))
    assert pull(registry, "fault/names", data).status == 404
    check_blobs(registry, "fault/names", kept[1])
    for file in taken:
        file.unlink(missing_ok=True)
    wait_until_pushes_work(registry, "fault/names")
    check_reads_and_deletes(registry, "fault/names", kept)


def test_registry_recovers_from_a_lack_of_file_descriptors(own_registry):
    """The limit applies to the process that stores the blobs."""
    kept = push_blobs(own_registry, "fault/descriptors")
    process = own_registry.processes["blob" if own_registry.mode == "split" else "entrepot"]
    limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    deadline = time.monotonic() + 20
    try:
        refused = False
        while not refused:
            # A connection that is closed after they were counted leaves room for a push.
            assert time.monotonic() < deadline, "pushes need no file descriptors"
            taken = len(os.listdir(f"/proc/{process.pid}/fd"))
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (taken + 1, limits[1]))
            answers = [attempt(own_registry, size) for size in (5_000, 300_000, 300_000)]
            assert all(answer is None or answer.status in (201, 503) for answer in answers), answers
            refused = any(answer is None or answer.status == 503 for answer in answers)
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limits)
    wait_until_pushes_work(own_registry, "fault/descriptors")
    check_blobs(own_registry, "fault/descriptors", kept)


def attempt(registry, size):
    """Pushes a blob -> the answer; None if there was no connection."""
    try:
        return push(registry, "fault/descriptors", os.urandom(size))
    except OSError:
        return None

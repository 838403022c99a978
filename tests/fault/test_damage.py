"""Damage on the disk is detected: damaged content is never served as good, and a push repairs it."""

import contextlib
import http.client
import os
import shutil

import pytest

from fault.content import KIB, check_blobs, pull, push, push_blobs, wait_until_pushes_work
from fault.objects import files_of
from fixtures.polling import wait_for

DATABASES = {"standalone": {"entrepot": "store/kv"}, "split": {"blob": "blob/kv", "manifest": "manifest/kv"}}


def file_of(registry, data):
    """The only file that contains these bytes."""
    found = files_of(registry, data)
    assert len(found) == 1, found
    return found[0]


def flip_bit(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def is_served_as_good(registry, repository, data):
    """Whether a pull of `data` looks complete to the client."""
    try:
        answer = pull(registry, repository, data)
    except (http.client.HTTPException, OSError):
        return False
    return answer.status == 200


@pytest.mark.parametrize("size", [300 * KIB, 5 * 1024 * KIB])
@pytest.mark.parametrize("where", [0.0, 0.5, 0.999999])
def test_flipped_bit_in_a_blob_is_not_served_and_a_push_repairs_it(registry, size, where):
    data = os.urandom(size)
    assert push(registry, "fault/bit", data).status == 201
    damage(file_of(registry, data), int(size * where))
    assert not is_served_as_good(registry, "fault/bit", data)

    def is_repaired():
        assert push(registry, "fault/bit", data).status == 201
        return is_served_as_good(registry, "fault/bit", data)

    wait_for(is_repaired)
    check_blobs(registry, "fault/bit", [data])


def damage(path, offset):
    """Flips a bit, and makes sure that the file's time of modification changes. The kernel's clock for it has ticks of
    some milliseconds, so that a write soon after the push may leave the time as it was."""
    before = path.stat().st_mtime_ns
    flip_bit(path, offset)

    def is_modified():
        os.utime(path)
        return path.stat().st_mtime_ns != before

    wait_for(is_modified, pause=0.001)


def test_bit_that_rotted_while_the_registry_was_down_is_not_served(own_registry):
    """The file's time of modification does not change."""
    data = os.urandom(300 * KIB)
    assert push(own_registry, "fault/rot", data).status == 201
    path = file_of(own_registry, data)
    # Not while it runs: the scrub may have verified the file by then.
    own_registry.stop()
    before = path.stat()
    flip_bit(path, 1000)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    own_registry.start()
    assert not is_served_as_good(own_registry, "fault/rot", data)
    assert push(own_registry, "fault/rot", data).status == 201
    check_blobs(own_registry, "fault/rot", [data])


@pytest.mark.parametrize("size", [0, 100 * KIB])
def test_truncated_blob_is_not_served(registry, size):
    data = os.urandom(300 * KIB)
    assert push(registry, "fault/short", data).status == 201
    os.truncate(file_of(registry, data), size)
    assert not is_served_as_good(registry, "fault/short", data)


def test_torn_end_of_the_log_loses_only_the_last_record(make_registry, tmp_path):
    """The last bytes of the write-ahead log never reached the disk."""
    registry = make_registry()
    acknowledged = push_blobs(registry, "fault/tail")
    registry.kill9()
    for cut in (1, 7, 100):
        copy = tmp_path / f"cut{cut}"
        shutil.copytree(registry.data, copy)
        for database in DATABASES[registry.mode].values():
            # Cuts bytes of the last record, which deletes the upload session of the last push.
            log = max((copy / database).glob("*.log"))
            os.truncate(log, max(log.stat().st_size - cut, 0))
        reopened = make_registry(data=copy)
        # All blobs but the last must be there: the torn record may be that of the last blob.
        check_blobs(reopened, "fault/tail", acknowledged[:-1])
        answer = pull(reopened, "fault/tail", acknowledged[-1])
        assert answer.status == 404 or answer.body == acknowledged[-1], answer
        wait_until_pushes_work(reopened, "fault/tail")
        reopened.stop()


def test_flipped_bit_in_the_log_prevents_the_start(make_registry):
    """The records behind the damage must not be dropped silently, as those behind a torn end are."""
    registry = make_registry()
    push_blobs(registry, "fault/log")
    registry.kill9()
    for name, database in DATABASES[registry.mode].items():
        log = max((registry.data / database).glob("*.log"))
        assert log.stat().st_size > 500
        flip_bit(log, log.stat().st_size // 3)
        assert_refuses_to_start(registry, name, str(log))
        flip_bit(log, log.stat().st_size // 3)
    registry.start()


def assert_refuses_to_start(registry, name, what):
    """The process ends, and its log shows `what`."""
    process = registry.processes[name]
    process.launch()
    with contextlib.suppress(AssertionError):
        process.wait_ready()
        raise RuntimeError(f"{name} started on a damaged database")
    assert what in process.log_tail(), process.log_tail()


def test_flipped_bit_in_a_table_of_the_database_gives_no_wrong_content(make_registry):
    registry = make_registry()
    # Small values are in the tables; larger values are in blob files of RocksDB.
    blobs = [os.urandom(size) for size in (1_000, 6_000) for _ in range(100)]
    for data in blobs:
        assert push(registry, "fault/table", data).status == 201
    registry.restart()  # A restart writes the tables.
    flipped = []
    for database in DATABASES[registry.mode].values():
        tables = [file for kind in ("*.sst", "*.blob") for file in (registry.data / database).glob(kind)]
        assert tables
        flipped += [(table, table.stat().st_size // 3) for table in tables]
    registry.kill9()
    for table, offset in flipped:
        flip_bit(table, offset)
    broken = starts_with_damage(registry)
    if not broken:
        answers = [pull(registry, "fault/table", data) for data in blobs]
        # No pull gets wrong bytes. A blob that cannot be read is an error, or 404 once it is known to be corrupt.
        bad = [data for answer, data in zip(answers, blobs) if (answer.status, answer.body) != (200, data)]
        assert bad
        assert {answer.status for answer in answers} <= {200, 404, 500, 503}
        assert all(answer.body == data for answer, data in zip(answers, blobs) if answer.status == 200)
        registry.kill9()
    for table, offset in flipped:
        flip_bit(table, offset)
    registry.start()
    for data in blobs:
        if pull(registry, "fault/table", data).status == 404:
            assert push(registry, "fault/table", data).status == 201
    check_blobs(registry, "fault/table", blobs)


def starts_with_damage(registry):
    """Starts the registry -> whether one of its processes refuses to start; then all are ended."""
    for process in registry.processes.values():
        process.launch()
    try:
        for process in registry.processes.values():
            process.wait_ready()
        return False
    except AssertionError:
        for process in registry.processes.values():
            if process.alive():
                process.kill9()
        return True

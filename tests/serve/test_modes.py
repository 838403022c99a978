"""Other users of the machine may not read what the registry writes: signing keys, hashes of passwords, private images."""

import os
import subprocess

import pytest

from fault.content import MIB, push
from fixtures.registry import PROGRAMS


def directories_of(registry):
    """-> the data directory of each process that has one."""
    return sorted({path.parent for path in registry.data.glob("*/kv")})


def open_to_others(top):
    """-> the files and directories below that users other than the owner may read, write or enter."""
    return sorted(str(path) for path in top.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o077)


@pytest.fixture(autouse=True)
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(name="stored")
def fixture_stored(make_registry):
    """A registry with a blob in each store and a backup."""
    registry = make_registry({"collector": {"disabled": True}})
    for data in (b"small", os.urandom(MIB)):
        assert push(registry, "private/image", data).status == 201
    back_up(registry, "first")
    return registry


def back_up(registry, name):
    subprocess.run([PROGRAMS / "entrepotctl", "--registry", registry.url, "backup", name], check=True)


def test_what_the_registry_writes_is_private(stored):
    for directory in directories_of(stored):
        assert open_to_others(directory) == []


def test_what_restore_writes_is_private(stored, tmp_path):
    to = tmp_path / "restored"
    (first, *_) = [path for path in directories_of(stored) if stored.mode == "standalone" or path.name == "manifest"]
    words = [first / "backups" / "first", to]
    if stored.mode == "split":
        blobs = first.parent / "blob"
        words += ["--blobs", blobs / "backups" / "first", "--blobs-data", tmp_path / "restored-blobs"]
    subprocess.run([PROGRAMS / "entrepotctl", "restore", *words], check=True)
    assert open_to_others(to) == []


def test_a_start_takes_the_permissions_that_earlier_versions_gave(stored):
    stored.stop()
    for directory in directories_of(stored):
        for path in directory.glob("kv/*"):
            path.chmod(0o644)
        (directory / "kv").chmod(0o755)
        (directory / "backups").chmod(0o755)
    stored.start()
    for directory in directories_of(stored):
        assert open_to_others(directory / "kv") == []
        assert (directory / "backups").stat().st_mode & 0o077 == 0

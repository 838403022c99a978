"""A separate image storage for podman and buildah."""

import contextlib
import functools
import shutil
import subprocess


@contextlib.contextmanager
def container_storage(directory):
    """Yields the environment that makes both programs use the storage in `directory`, which is removed afterwards."""
    directory.mkdir(parents=True)
    conf = directory / "storage.conf"
    conf.write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{directory}/root"\nrunroot = "{directory}/run"\n')
    registries = directory / "registries.conf"
    registries.write_text("unqualified-search-registries = []\n")
    try:
        yield {"CONTAINERS_STORAGE_CONF": str(conf), "CONTAINERS_REGISTRIES_CONF": str(registries)}
    finally:
        # Both programs leave the directory mounted on itself.
        subprocess.run(["umount", directory / "root" / "overlay"], capture_output=True, check=False)
        shutil.rmtree(directory)


@contextlib.contextmanager
def podman_at(run, directory):
    """Yields podman(argv...) -> stdout, with storage of its own. Its registries.conf is in `directory`."""
    with container_storage(directory) as env:
        yield functools.partial(run, "podman", "--cgroup-manager=cgroupfs", "--events-backend=none", env=env)

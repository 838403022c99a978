"""A Debian root file system as a tar archive, plain and compressed: the base layer of all images."""

import fcntl
import os
import pathlib
import subprocess

_CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "entrepot" / "debian-root"
_SUITE = "bookworm"


def debian_root():
    """-> the directory with base.tar, base.tar.gz and base.tar.zst, which are made once for each machine."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    with open(_CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (_CACHE / "base.tar").exists():
            _make(_CACHE)
    return _CACHE


def _make(directory):
    root = directory / "root"
    subprocess.run(["rm", "-rf", root], check=True)
    _run(["debootstrap", "--variant=minbase", _SUITE, root, _mirror()])
    tar = ["tar", "--create", "--numeric-owner", "--sort=name", "--directory", root]
    _run([*tar, "--exclude=./var/cache/apt/archives/*.deb", "--exclude=./dev/*", "--file", directory / "new.tar", "."])
    for command, suffix in ((["gzip", "-n"], "gz"), (["zstd", "-q"], "zst")):
        with open(directory / "new.tar", "rb") as source, open(directory / f"base.tar.{suffix}", "wb") as target:
            subprocess.run(command, stdin=source, stdout=target, check=True)
    os.rename(directory / "new.tar", directory / "base.tar")
    subprocess.run(["rm", "-rf", root], check=True)


def _mirror():
    """The Debian mirror that this machine's apt uses."""
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", f"Codename: {_SUITE}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert targets.stdout, f"apt has no source for {_SUITE}"
    return targets.stdout.splitlines()[0]


def _run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"

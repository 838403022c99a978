"""The control groups of a node: one group of its own in each hierarchy, below which the kubelet makes those of its pods."""

import os
import pathlib

from fixtures.polling import wait_for

_ROOT = pathlib.Path("/sys/fs/cgroup")
_PREFIX = "entrepot-test-node."


def _hierarchies():
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    # With "unified" beside those of version 1: runc makes groups there too.
    return sorted({each.resolve() for each in _ROOT.iterdir() if each.is_dir()})


def make_group():
    """-> the name of new groups, with a slash before it as the kubelet wants it. Removes what ended test runs have left."""
    for hierarchy in _hierarchies():
        for left in hierarchy.glob(_PREFIX + "*"):
            if not pathlib.Path("/proc", left.name.removeprefix(_PREFIX)).exists():
                remove_group("/" + left.name)
    name = f"{_PREFIX}{os.getpid()}"
    for hierarchy in _hierarchies():
        group = hierarchy / name
        group.mkdir()
        # A group for processors and memory nodes has none at first.
        for file in ("cpuset.cpus", "cpuset.mems"):
            if (group / file).exists() and not (group / file).read_text().strip():
                (group / file).write_text((hierarchy / file).read_text())
    if _hierarchies() == [_ROOT]:
        # The kubelet looks whether the controllers reach its group.
        for controller in (_ROOT / "cgroup.controllers").read_text().split():
            (_ROOT / "cgroup.subtree_control").write_text("+" + controller)
    return "/" + name


def remove_group(name):
    """Removes the groups and those below them, once their processes have ended."""
    for hierarchy in _hierarchies():
        wait_for(lambda group=hierarchy / name.lstrip("/"): _is_removed(group), seconds=30)


def _is_removed(group):
    for directory, _, _ in os.walk(group, topdown=False):
        try:
            os.rmdir(directory)
        except OSError:
            return False  # A process of it still ends.
    return True

"""Bounds on the CPU time of groups of processes, by cgroups: what each of several small machines has. Needs root."""

import os
import pathlib
import sys

_V1 = pathlib.Path("/sys/fs/cgroup/cpu")
_V2 = pathlib.Path("/sys/fs/cgroup")
# Short: a process that has used up its time holds its locks until the next period.
_PERIOD_US = 10_000
# What the kernel grants at least.
_QUOTA_US_MIN = 1000


class CpuQuota:
    """Its processes together get `cores` of CPU time: 0.25 is a quarter of one core."""

    def __init__(self, name, cores):
        quota_us = round(cores * _PERIOD_US)
        if quota_us < _QUOTA_US_MIN:
            sys.exit(f"a group of processes needs at least {_QUOTA_US_MIN / _PERIOD_US} cores")
        self.cores = cores
        self._v2 = not (_V1 / "cpu.cfs_quota_us").exists() and "cpu" in _read(_V2 / "cgroup.controllers")
        if not self._v2 and not (_V1 / "cgroup.procs").exists():
            sys.exit("this kernel has no cgroups that bound CPU time (/sys/fs/cgroup)")
        self._directory = (_V2 if self._v2 else _V1) / f"entrepot-bench.{os.getpid()}.{name}"
        try:
            if self._v2:
                (_V2 / "cgroup.subtree_control").write_text("+cpu")
            self._directory.mkdir()
        except OSError as error:
            sys.exit(f"cannot make a group of processes with a bound on their CPU time: {error}")
        if self._v2:
            self._write("cpu.max", f"{quota_us} {_PERIOD_US}")
        else:
            self._write("cpu.cfs_period_us", _PERIOD_US)
            self._write("cpu.cfs_quota_us", quota_us)

    def add(self, pid):
        """With all threads of the process. What it starts later belongs to the group too."""
        self._write("cgroup.procs", pid)

    def periods(self):
        """-> how many periods there were in which the group had work, and in how many it used up its time."""
        numbers = dict(line.split() for line in _read(self._directory / "cpu.stat").splitlines())
        return int(numbers["nr_periods"]), int(numbers["nr_throttled"])

    def remove(self):
        """After its processes have ended."""
        self._directory.rmdir()

    def _write(self, name, value):
        (self._directory / name).write_text(str(value))


def _read(path):
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""

"""A machine within this one: processes in namespaces of their own. Nothing in it reaches another network, what it mounts is
seen nowhere else, and all of it (processes, mounts, addresses, rules of iptables) ends with one signal, or with this process.
"""

import contextlib
import ctypes
import os
import pathlib
import shutil
import subprocess
import threading

from fixtures.polling import wait_for
from fixtures.process import Process

ADDRESS = "10.99.0.1"
_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_LIBRARY = ctypes.CDLL(None, use_errno=True)

# The kubelet sets these for the whole machine. It gets files in their place.
_SETTINGS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys",
             "kernel/keys/root_maxbytes")  # fmt: skip

# The first process: prepares the machine, then waits for processes that have lost their parent.
_FIRST = """
set -e
directory=$1
ip link set lo up
# A bridge without ports: an address that is not of the loopback device.
ip link add node0 type bridge
ip address add {address}/24 dev node0
ip link set node0 up
echo 1 >/proc/sys/net/ipv4/ip_forward
for setting in {settings}; do
  [ -e /proc/sys/$setting ] || continue
  mkdir -p $(dirname $directory/sys/$setting)
  cat /proc/sys/$setting >$directory/sys/$setting
  mount --bind $directory/sys/$setting /proc/sys/$setting
done
mount --bind $directory/hosts /etc/hosts
mount --bind $directory/authorities {authorities}
# scripts/image asks which package a library is from.
mount --bind /var/lib/dpkg $directory/lib/dpkg
mount --rbind $directory/lib /var/lib
mount --bind $directory/log /var/log
mount -t tmpfs tmpfs /run
touch $directory/made
exec {python} -c '
import os, time
while True:
    try:
        os.wait()
    except ChildProcessError:
        time.sleep(0.1)
'
"""


class Sandbox:
    """`directory` gets what its processes write to /var/lib and /var/log. `hosts`: its /etc/hosts, which may be changed.
    `authorities`: the file of certificates that its programs trust, to which more may be added before they read it."""

    def __init__(self, directory):
        self.directory = directory
        self.hosts = directory / "hosts"
        self.authorities = directory / "authorities"
        for name in ("lib/dpkg", "log"):
            (directory / name).mkdir(parents=True)
        shutil.copy(_AUTHORITIES, self.authorities)
        self.hosts.write_text("127.0.0.1 localhost\n")
        script = _FIRST.format(address=ADDRESS, authorities=_AUTHORITIES, settings=" ".join(_SETTINGS), python="/usr/bin/python3")
        # The first process dies with unshare, which dies with this process, however that ends.
        argv = ["setpriv", "--pdeathsig=KILL", "unshare", "--fork", "--kill-child=SIGKILL", "--pid", "--mount-proc", "--mount", "--net", "--uts", "--ipc",
                "bash", "-c", script, "bash", directory]  # fmt: skip
        self._process = Process("sandbox", argv, (directory / "made").exists, directory / "sandbox.log")
        self._process.launch()
        try:
            self._process.wait_ready()
            self._first = int(pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text())
            self._network = os.open(f"/proc/{self._first}/ns/net", os.O_RDONLY)
        except BaseException:
            self._process.kill9()
            raise

    def command(self, *argv):
        """-> the words that run a program as one of its processes."""
        return ["nsenter", f"--target={self._first}", "--mount", "--net", "--pid", "--uts", "--ipc", *map(str, argv)]

    def run(self, *argv, ok=True, timeout=300, **options):
        """Runs a program to its end -> its output, of both kinds if it was expected to fail (`ok=False`)."""
        done = subprocess.run(self.command(*argv), capture_output=True, text=True, check=False, timeout=timeout, **options)
        what = f"{' '.join(map(str, argv))} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        assert (done.returncode == 0) == ok, what
        return done.stdout if ok else done.stdout + done.stderr

    @contextlib.contextmanager
    def network(self):
        """In the block, sockets that this thread makes, and processes that it starts, are in the sandbox's network."""
        own = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
        try:
            _enter(self._network)
            try:
                yield
            finally:
                _enter(own)
        finally:
            os.close(own)

    def close(self):
        os.close(self._network)
        self._process.kill9()
        # The kernel has ended all processes of the namespace when its first one is gone.
        wait_for(lambda: not pathlib.Path(f"/proc/{self._first}").exists(), seconds=60)


def _enter(namespace):
    if _LIBRARY.setns(namespace, _NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "setns")

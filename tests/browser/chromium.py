"""Debian's chromium without a window, which opens one page."""

import contextlib
import os
import shutil
import signal
import subprocess

# Its own checks of local addresses are off, and it must not try https first: the registry's defence is under test.
FEATURES_OFF = "LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable"


@contextlib.contextmanager
def opened(url, directory, hosts):
    """Opens the page while the block runs. `hosts`: names that resolve to the address given with each. Prints the
    browser's log if the block fails."""
    directory.mkdir()
    rules = ", ".join(f"MAP {name} {address}" for name, address in hosts.items())
    argv = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr",
            f"--disable-features={FEATURES_OFF}", f"--host-resolver-rules={rules}",
            f"--user-data-dir={directory / 'profile'}", url]  # fmt: skip
    with open(directory / "chromium.log", "wb") as log:
        # A session of its own, so that all of its processes can be ended.
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            yield
        except BaseException:
            print((directory / "chromium.log").read_text(errors="replace"))
            raise
        finally:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            shutil.rmtree(directory / "profile", ignore_errors=True)

"""The rate of GETs of one manifest by its tag, by wrk with one thread."""

import re
import subprocess
import sys


def rate(address, repository, tag, token="", connections=32, seconds=5):
    """-> requests a second. `token`: a bearer token."""
    output = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-H", "Accept: application/vnd.oci.image.manifest.v1+json",
         *(["-H", f"Authorization: Bearer {token}"] if token else []),
         f"http://{address}/v2/{repository}/manifests/{tag}"],
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"GETs of a manifest failed: {output}")
    return float(re.search(r"Requests/sec:\s*([\d.]+)", output).group(1))

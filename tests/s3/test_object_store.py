"""The S3 store passes the tests of object stores on real servers."""

import os
import subprocess

import pytest

from fixtures.registry import PROGRAMS
from s3.servers import ACCESS_KEY, SECRET_KEY, s3_server


@pytest.mark.parametrize("server", ["versitygw", "minio"])
def test_conformance(server, tmp_path):
    with s3_server(server, tmp_path) as running:
        environment = {
            **os.environ,
            "ENTREPOT_S3_TEST_ENDPOINT": running.url,
            "ENTREPOT_S3_TEST_ACCESS_KEY": ACCESS_KEY,
            "ENTREPOT_S3_TEST_SECRET_KEY": SECRET_KEY,
        }
        done = subprocess.run([PROGRAMS / "s3_server_conformance"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

"""Blobs that the tests push and pull."""

import hashlib

from fixtures import http


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def push(registry, repository, data):
    """Pushes a blob by one PUT -> the answer to the last request that was sent."""
    answer = http.request("POST", f"{registry.url}/v2/{repository}/blobs/uploads/")
    if answer.status != 202:
        return answer
    return http.request("PUT", f"{registry.url}{answer.headers['Location']}?digest={digest_of(data)}", body=data)


def pull(registry, repository, data):
    return http.request("GET", f"{registry.url}/v2/{repository}/blobs/{digest_of(data)}")

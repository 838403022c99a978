"""A registry in the cluster, as its clients on the node see it."""

import contextlib
import time
from urllib.parse import quote

from fixtures import http
from fixtures.accounts import basic
from fixtures.process import Process, listens

# Tokens live for five minutes.
_TOKEN_SECONDS = 120


class RegistryOnNode:
    """In place of a Registry, for functions that read its url or call request(). `account`: (name, password), with which each
    request gets a token for its repository."""

    def __init__(self, node, address, account):
        self.node = node
        self.address = address
        self.url = f"http://{address}"
        self.account = account
        self._tokens = {}  # {repository: (token, until when)}

    def request(self, method, path, headers=None, **options):
        with self.node.sandbox.network():
            headers = {"Authorization": f"Bearer {self._token(path)}", **(headers or {})}
            return http.request(method, self.url + path, headers=headers, **options)

    def token(self, *scopes, account=None):
        """-> the Answer to a request of a token."""
        query = "".join(f"&scope={quote(scope)}" for scope in scopes)
        headers = {"Authorization": basic(*(account or self.account))}
        with self.node.sandbox.network():
            return http.request("GET", f"{self.url}/token?service=entrepot{query}", headers=headers, timeout=8)

    def _token(self, path):
        repository = path.removeprefix("/v2/")
        for endpoint in ("/blobs/", "/manifests/", "/tags/", "/referrers/"):
            repository = repository.partition(endpoint)[0]
        token, until = self._tokens.get(repository, (None, 0))
        if time.monotonic() > until:
            answer = self.token(f"repository:{repository}:pull,push,delete")
            if answer.status != 200:
                # As a client sees a service that does not answer.
                raise ConnectionError(f"no token: {answer}")
            token = answer.json()["token"]
            self._tokens[repository] = (token, time.monotonic() + _TOKEN_SECONDS)
        return token


@contextlib.contextmanager
def forwarded(node):
    """In the block localhost:5000 of the node is the Service entrepot."""
    with node.sandbox.network():
        command = node.kubectl_command("--namespace=entrepot", "port-forward", "service/entrepot", "5000")
        forward = Process("port-forward", command, listens(5000), node.directory / "forward.log")
        forward.launch()
        try:
            forward.wait_ready(30)
            yield
        finally:
            forward.kill9()

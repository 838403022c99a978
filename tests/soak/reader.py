"""Clients that pull images while other clients push, move and delete them."""

import json
import random

from fixtures.session import NoAnswer, Session
from fixtures.workload import OCI_INDEX, digest_of


class Reader(Session):
    """Pulls tagged images of `repositories` (names) until `stop` is set. Fails if an image cannot be pulled although
    its tag still references it afterwards."""

    def __init__(self, url, repositories, seed, account):
        super().__init__(url, [(name, "pull") for name in repositories], account)
        self._names = repositories
        self._random = random.Random(seed)

    def run(self, stop):
        self._stop = stop
        while not stop.is_set():
            try:
                self._pull_any(self._random.choice(self._names))
            except NoAnswer:
                self.counts["without an answer"] += 1
        self.close()

    def _pull_any(self, repository):
        answer = self._call("GET", f"/v2/{repository}/tags/list", expect=(200, 404))
        tags = answer.json()["tags"] if answer.status == 200 else []
        if not tags:
            self._stop.wait(0.05)
            return
        self._pull(repository, self._random.choice(tags))

    def _pull(self, repository, tag):
        answer = self._call("GET", f"/v2/{repository}/manifests/{tag}", expect=(200, 404))
        if answer.status == 404:
            return
        digest = digest_of(answer.body)
        assert answer.headers["Docker-Content-Digest"] == digest
        missing = self._missing(repository, answer.body)
        if missing is None:
            self.counts["pulls"] += 1
            return
        self.counts["pulls overtaken by a change"] += 1
        again = self._call("GET", f"/v2/{repository}/manifests/{tag}", expect=(200, 404))
        still = again.status == 200 and digest_of(again.body) == digest
        assert not still, f"{missing} of {repository}:{tag} cannot be pulled, and the tag still references {digest}"

    def _missing(self, repository, content):
        """-> the first digest that the manifest references and that does not exist; None if all exist."""
        manifest = json.loads(content)
        if manifest["mediaType"] == OCI_INDEX:
            for child in manifest["manifests"]:
                path = f"/v2/{repository}/manifests/{child['digest']}"
                answer = self._call("GET", path, expect=(200, 404))
                if answer.status == 404:
                    return child["digest"]
                missing = self._missing(repository, answer.body)
                if missing:
                    return missing
            return None
        for blob in [manifest["config"], *manifest["layers"]]:
            answer = self._call("GET", f"/v2/{repository}/blobs/{blob['digest']}", expect=(200, 404))
            if answer.status == 404:
                return blob["digest"]
            assert digest_of(answer.body) == blob["digest"], f"{blob['digest']} of {repository} has different content"
        return None

"""An upstream whose content changes and that fails at times, and clients that pull from it through the registry."""

import json
import random
import threading
from collections import Counter

from fixtures.scripted_upstream import dropped, failing, other_bytes, truncated
from fixtures.session import NoAnswer, Session
from fixtures.workload import SIZES, digest_of

TAGS = [f"t{number}" for number in range(4)]
FAULTS = {
    "cut": truncated(1_000),
    "dropped": dropped,
    "503": failing(503),
    "wrong bytes": other_bytes,
}
SHARED_BLOBS = 40


class Changes:
    """Pushes images to the scripted upstream, moves its tags, and lets some of its answers fail, until `stop` is set. Some
    layers are those that fixtures/workload.py pushes with the same seed, so that caches and hosted repositories share
    blobs. `names`: repositories at the upstream."""

    def __init__(self, upstream, names, seed, pause=0.1):
        self.counts = Counter()
        self._upstream = upstream
        self._names = names
        self._seed = seed
        self._random = random.Random(f"{seed} upstream")
        self._pause = pause
        self._lock = threading.Lock()
        self._had = {}
        for name in names:
            for tag in TAGS:
                self._push(name, tag)

    def had(self, name, tag):
        """-> the digests that the tag has had at the upstream."""
        with self._lock:
            return set(self._had[name, tag])

    def run(self, stop):
        while not stop.wait(self._pause):
            name = self._random.choice(self._names)
            if self._random.random() < 0.7:
                self._push(name, self._random.choice(TAGS))
                self.counts["images at the upstream"] += 1
            else:
                fault = self._random.choice(list(FAULTS))
                self._upstream.rule(f"/v2/{name}/(manifests|blobs)/.*", FAULTS[fault], "GET", times=1)
                self.counts["faults of the upstream: " + fault] += 1

    def _push(self, name, tag):
        image = self._upstream.repository(name).add_image(*(self._layer() for _ in range(self._random.randint(1, 4))))
        with self._lock:
            self._had.setdefault((name, tag), set()).add(image.digest)
        # What it had stays, as at a registry that collects no garbage.
        self._upstream.repository(name).tags[tag] = image.digest

    def _layer(self):
        number = self._random.randrange(2 * SHARED_BLOBS)
        which = f"shared {number}" if number < SHARED_BLOBS else f"upstream {self._random.randrange(10**9)}"
        source = random.Random(f"{self._seed} {which}")
        return source.randbytes(source.choices(SIZES, (1, 8, 8, 2, 2, 3, 1))[0])


class CachePuller(Session):
    """Pulls images of the upstream through the registry, by the prefix and by ns, until `stop` is set. Each must be one
    that its tag has had, and complete unless an answer fails. `pulled`: {(repository at the upstream, digest)} of those
    that were complete."""

    def __init__(self, url, upstream_name, changes, names, seed, account):
        super().__init__(url, [(f"{upstream_name}/{name}", "pull") for name in names], account)
        self._upstream_name = upstream_name
        self._changes = changes
        self._names = names
        self._random = random.Random(seed)
        self.pulled = set()

    def run(self, stop):
        self._stop = stop
        while not stop.is_set():
            name = self._random.choice(self._names)
            try:
                self._pull_tag(name, self._random.choice(TAGS))
            except NoAnswer:
                self.counts["pulls through the cache that failed"] += 1
        self.close()

    def _get(self, name, rest):
        if self._random.random() < 0.5:
            return self._call("GET", f"/v2/{self._upstream_name}/{name}/{rest}", expect=(200,))
        return self._call("GET", f"/v2/{name}/{rest}?ns={self._upstream_name}", expect=(200,))

    def _pull_tag(self, name, tag):
        answer = self._get(name, f"manifests/{tag}")
        digest = digest_of(answer.body)
        assert answer.headers["Docker-Content-Digest"] == digest
        assert digest in self._changes.had(name, tag), f"{name}:{tag} has never been {digest}"
        self._pull_blobs(name, answer.body)
        self.pulled.add((name, digest))
        self.counts["pulls through the cache"] += 1

    def _pull_blobs(self, name, manifest):
        content = json.loads(manifest)
        for blob in [content["config"], *content["layers"]]:
            answer = self._get(name, f"blobs/{blob['digest']}")
            assert digest_of(answer.body) == blob["digest"], f"{blob['digest']} of {name} has different content"

    def pull_again(self, images):
        """Pulls these images by their digests -> how many."""
        for name, digest in images:
            answer = self._get(name, f"manifests/{digest}")
            assert digest_of(answer.body) == digest
            self._pull_blobs(name, answer.body)
        return len(images)

    def delete_repositories(self):
        """With an administrator's account."""
        self._scopes.append("registry:administration:*")
        for name in self._names:
            self._call("DELETE", f"/entrepot/v1/repositories/{self._upstream_name}/{name}", expect=(200, 404))
        self.close()

"""Work in proportion to what is stored leaves the threads of requests free, and no answer of /healthz or /readyz waits."""

import concurrent.futures
import contextlib
import http.client
import os

import pytest

from fault.content import KIB, pull, push
from fault.test_damage import damage, file_of
from fixtures import http as client
from fixtures.polling import wait_for

PULLS = 40
# The collector's own search for damage must not find it first.
NO_SCRUB = {"collector": {"scrub": {"disabled": True}}}


def try_to_pull(registry, repository, data):
    with contextlib.suppress(http.client.HTTPException, OSError):
        pull(registry, repository, data)


@pytest.fixture(name="damaged")
def fixture_damaged(make_registry):
    """A registry that needs ten seconds to verify a damaged blob, which PULLS clients have just read.

    -> the registry, the name of the process that verifies, and the futures of the clients."""
    registry = make_registry(config=NO_SCRUB, failpoints={"manifest": "manifest.scrubber.marked=sleep:10s"})
    name = "manifest" if registry.mode == "split" else "entrepot"
    data = os.urandom(300 * KIB)
    assert push(registry, "fault/damaged", data).status == 201
    damage(file_of(registry, data), 1000)
    with concurrent.futures.ThreadPoolExecutor(PULLS) as pool:
        pulls = [pool.submit(try_to_pull, registry, "fault/damaged", data) for _ in range(PULLS)]

        def verification_has_begun():
            metrics = registry.metrics(name)
            return metrics.total("entrepot_damage_reports_total", result="queued") == 1

        wait_for(verification_has_begun)
        yield registry, name, pulls


def test_pulls_of_a_damaged_blob_leave_the_threads_to_uploads(damaged):
    registry, name, pulls = damaged
    pushed = [push(registry, "fault/uploads", os.urandom(size)).status for size in (5_000, 300_000) for _ in range(10)]
    assert pushed == [201] * len(pushed)
    # The thread of the last push ends a moment after its answer.
    metrics = wait_for(
        lambda: registry.metrics(name), lambda found: found.total("entrepot_executor_threads_busy") == 0
    )
    # The blob is still being verified, and no request has a thread.
    assert metrics.total("entrepot_scrub_blobs_total", result="corrupt") == 0
    concurrent.futures.wait(pulls)
    wait_for(lambda: registry.metrics(name).total("entrepot_scrub_blobs_total", result="corrupt"), lambda n: n == 1)


def test_sigterm_drains_during_a_verification(damaged):
    registry, name, pulls = damaged
    assert registry.metrics(name).total("entrepot_scrub_blobs_total", result="corrupt") == 0
    registry.restart(name)
    concurrent.futures.wait(pulls)
    assert push(registry, "fault/after", os.urandom(5_000)).status == 201


@pytest.mark.modes("split")
def test_health_is_answered_while_a_service_hangs(own_registry):
    registry = own_registry
    assert client.request("GET", registry.operator_url("gateway") + "/readyz").body.startswith(b"ready\n")
    with registry.processes["blob"].frozen():
        gateway = wait_for(lambda: client.request("GET", registry.operator_url("gateway") + "/readyz"),
                           lambda answer: answer.status == 503)  # fmt: skip
        assert b"\ncannot pull: blob service: " in gateway.body, gateway
        assert b"\nok: manifest service (" in gateway.body, gateway
        # Manifests can still be pulled, and the manifest service stays in the balancer.
        manifest = wait_for(lambda: client.request("GET", registry.operator_url("manifest") + "/readyz"),
                            lambda answer: b"cannot push: blob service: " in answer.body)  # fmt: skip
        assert manifest.status == 200
        for name in ("gateway", "manifest"):
            assert client.request("GET", registry.operator_url(name) + "/healthz").status == 200
    registry.wait_ready()

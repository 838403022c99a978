"""The bytes of request bodies that a push sent, from the gateway's metrics."""

import contextlib
from fixtures.polling import wait_for


class Sent:
    bytes = None


@contextlib.contextmanager
def count_sent(registry):
    """`with count_sent(registry) as sent:` sets sent.bytes at the end; for the peer, without this metric, to None."""
    sent = Sent()
    before = _total(registry)
    yield sent
    if registry.mode != "peer":
        # The gateway counts the bytes of a request at its end, which may be after the client has the answer.
        wait_for(lambda: registry.metrics().total("entrepot_http_requests_in_flight") == 0, seconds=5, pause=0.01)
        sent.bytes = _total(registry) - before


def _total(registry):
    return registry.metrics().total("entrepot_http_request_bytes_total")


def assert_sent_at_most(sent, limit):
    """Also checks that bytes were sent at all: a metric that never changes must fail the test."""
    if sent.bytes is not None:
        assert 0 < sent.bytes <= limit, f"{sent.bytes} bytes were sent, at most {limit} expected"

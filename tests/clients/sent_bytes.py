"""How many bytes of bodies a push sent, as the gateway's metrics counted them."""

import contextlib
import time


class Sent:
    bytes = None


@contextlib.contextmanager
def count_sent(registry):
    """with count_sent(registry) as sent: ...; then sent.bytes. With the peer, which counts nothing, it stays None."""
    sent = Sent()
    before = _total(registry)
    yield sent
    if registry.mode != "peer":
        # A request is counted once it is done with, which may be after its client has the answer.
        deadline = time.monotonic() + 5
        while (total := _total(registry)) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        sent.bytes = total - before


def _total(registry):
    return registry.metrics().total("entrepot_http_request_bytes_total")


def assert_sent_at_most(sent, limit):
    """...and something at all, so that a metric that never moves is noticed."""
    if sent.bytes is not None:
        assert 0 < sent.bytes <= limit, f"{sent.bytes} bytes were sent, {limit} at most expected"

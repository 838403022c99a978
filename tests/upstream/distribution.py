"""distribution version 3 as an upstream (third_party/go/distribution)."""

import contextlib

from fixtures.accounts import write_accounts
from fixtures.registry import Registry, add_distribution
from fixtures.tools import go_tool


@contextlib.contextmanager
def distribution(directory, accounts=None):
    """Yields a running Registry. accounts: None, or {name: password} for Basic authentication."""
    registry = Registry("peer", directory)
    auth = None
    if accounts:
        write_accounts(directory / "accounts", accounts)
        auth = {"htpasswd": {"realm": "distribution", "path": str(directory / "accounts")}}
    add_distribution(registry, go_tool("distribution"), auth)
    registry.start()
    try:
        yield registry
    finally:
        registry.stop()

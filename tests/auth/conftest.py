"""A client of a secured registry for each of its accounts (prod, ci, admin, nobody), and an anonymous client."""

import pytest

from fixtures.accounts import Client


@pytest.fixture
def prod(secured_registry):
    return Client(secured_registry, "prod")


@pytest.fixture
def ci(secured_registry):
    return Client(secured_registry, "ci")


@pytest.fixture
def admin(secured_registry):
    return Client(secured_registry, "admin")


@pytest.fixture
def nobody(secured_registry):
    return Client(secured_registry, "nobody")


@pytest.fixture
def anonymous(secured_registry):
    return Client(secured_registry)

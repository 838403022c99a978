"""Requests that go to one gateway after another."""

import itertools

from fixtures import http


class EveryGateway:
    """In place of a Registry, for functions that read its url for each request: each time it is that of the next
    gateway."""

    def __init__(self, registry, first=0):
        scheme = registry.url.partition(":")[0]
        urls = [f"{scheme}://{address}" for address in registry.addresses]
        self._urls = itertools.cycle(urls[first:] + urls[:first])
        self._ca = registry.ca

    @property
    def url(self):
        return next(self._urls)

    def request(self, method, path, **options):
        return http.request(method, self.url + path, ca=self._ca, **options)


class OneGateway:
    """In place of a Registry: the gateway with that number."""

    def __init__(self, registry, number):
        self.url = f"{registry.url.partition(':')[0]}://{registry.addresses[number]}"
        self._ca = registry.ca

    def request(self, method, path, **options):
        return http.request(method, self.url + path, ca=self._ca, **options)


def each_gateway(registry):
    return [OneGateway(registry, number) for number in range(len(registry.addresses))]

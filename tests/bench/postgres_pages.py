#!/usr/bin/python3
"""Measures what a page of 100 costs in a large registry whose records are in PostgreSQL: the time of a page out of 10^6 tags of
one repository, and of a page out of 10^5 repositories, each divided by that of the same page out of 10^3. Asked: at most 3.

Usage: postgres_pages.py [--tags N] [--repositories N] [--pages N] [--rounds N]

There are two registries, each with a database of its own. An image is pushed to each; all others are copies of its records, with
another tag or another name of the repository in their keys, made by SQL. They are inserted in random order, as pushes come, so
a page's rows are spread over the table. After that the tables are vacuumed, as the server does by itself within a minute.
The pages begin at random entries, and take turns between the two registries. The time is that of the gateway, from the end of
the request's head to the last byte of the answer (entrepot_http_request_duration_seconds). --pages 0 loads and checks only.
"""

import argparse
import bisect
import contextlib
import http.client
import json
import os
import pathlib
import random
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from fixtures import engines  # noqa: E402
from fixtures.registry import start_registry  # noqa: E402
from upstream.pushes import push_image  # noqa: E402

ASKED = 3.0
FEW = 1000
PAGE = 100
TAGGED = "pages/tagged"
# What the copies replace. It is in no other key.
TAG = "seed-of-the-tags"
COPIED = "pages/seed-of-the-repositories"


class Listing:
    """One list of names that the registry gives in pages."""

    def __init__(self, route, path, field, names):
        self.route = route
        self.path = path
        self.field = field
        self.names = sorted(names)

    def read(self, connection, last):
        """Reads the page behind `last`, and checks it."""
        connection.request("GET", f"{self.path}?n={PAGE}" + (f"&last={last}" if last else ""))
        answer = connection.getresponse()
        found = json.loads(answer.read())[self.field]
        begin = bisect.bisect_right(self.names, last)
        if found != self.names[begin : begin + PAGE]:
            sys.exit(f"{self.path} behind {last!r}: {answer.status}, and not the entries that were stored")


class Registry:
    """A registry with that many tags in one repository, and that many repositories."""

    def __init__(self, folder, tags, repositories):
        config = {"log": {"level": "warning"}, "collector": {"disabled": True}}
        engine = engines.configure(folder)["records"]
        self.database = engine["postgres"]["database"]
        self.registry = start_registry("standalone", folder, config={**config, "records": engine})
        push_image(self.registry.request, TAGGED, [os.urandom(4096)], TAG)
        push_image(self.registry.request, COPIED, [os.urandom(4096)], "v1")
        begin = time.monotonic()
        # Both begin with what the template begins with.
        self._copy(TAG, "v", tags, "t/", "d/")
        self._copy(COPIED, "pages/r", repositories, "n/", "m/", "t/", "d/", "l/", "r/", "s/")
        self._sql("VACUUM (ANALYZE) entrepot.records")
        bytes_, rows = self._sql("SELECT pg_total_relation_size('entrepot.records'), count(*) FROM entrepot.records").split("|")
        print(f"{tags:,} tags and {repositories:,} repositories: {int(rows):,} records, {int(bytes_) / int(rows):.0f} bytes each with "
              f"their index, stored in {time.monotonic() - begin:.0f} s", flush=True)  # fmt: skip
        self.listings = {
            "tags": Listing("tags", f"/v2/{TAGGED}/tags/list", "tags", [TAG, *_names("v", tags)]),
            "repositories": Listing("catalog", "/v2/_catalog", "repositories", [TAGGED, COPIED, *_names("pages/r", repositories)]),
        }
        self.connection = http.client.HTTPConnection(self.registry.address, timeout=60)

    def _sql(self, statement):
        return engines.postgres().sql(statement, self.database)

    def _copy(self, template, prefix, count, *kinds):
        """Copies the records of these kinds that have the template in their key, with `prefix` and a number instead."""
        seed = f"convert_to('{template}', 'UTF8')"
        kinds = ", ".join(f"convert_to('{kind}', 'UTF8')" for kind in kinds)
        self._sql(
            f"INSERT INTO entrepot.records SELECT substring(k for position({seed} IN k) - 1) || "
            f"convert_to('{prefix}' || lpad(i::text, 7, '0'), 'UTF8') || substring(k from position({seed} IN k) + {len(template)}), v "
            f"FROM entrepot.records, generate_series(1, {count}) AS i "
            f"WHERE position({seed} IN k) > 0 AND substring(k for 2) IN ({kinds}) ORDER BY random()"
        )

    def page_ms(self, what, pages):
        """-> the mean time of so many pages that begin anywhere."""
        listing = self.listings[what]
        before = self._times(listing.route)
        for _ in range(pages):
            listing.read(self.connection, random.choice(listing.names[: -PAGE - 1]))
        seconds, count = (now - then for now, then in zip(self._times(listing.route), before))
        return 1000 * seconds / count

    def _times(self, route):
        metrics = self.registry.metrics()
        name = "entrepot_http_request_duration_seconds"
        return [metrics.total(f"{name}_{each}", route=route, method="GET") for each in ("sum", "count")]


def _names(prefix, count):
    return [f"{prefix}{number:07}" for number in range(1, count + 1)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tags", type=int, default=1_000_000)
    parser.add_argument("--repositories", type=int, default=100_000)
    parser.add_argument("--pages", type=int, default=200, help="of each list in each round")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folders = [pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="entrepot-bench-"))) for _ in range(2)]
        few = Registry(folders[0], FEW, FEW)
        stack.callback(few.registry.stop)
        many = Registry(folders[1], arguments.tags, arguments.repositories)
        stack.callback(many.registry.stop)
        for each in (few, many):
            for listing in each.listings.values():
                listing.read(each.connection, "")
        if not arguments.pages:
            return
        for what, count in (("tags", arguments.tags), ("repositories", arguments.repositories)):
            found = {each: [] for each in (few, many)}
            for number in range(arguments.rounds):
                for each in (few, many)[:: -1 if number % 2 else 1]:
                    found[each].append(each.page_ms(what, arguments.pages))
            ratios = [large / small for small, large in zip(found[few], found[many])]
            ratio = statistics.median(ratios)
            verdict = "as asked" if ratio <= ASKED else "ABOVE"
            small, large = (statistics.median(each) for each in found.values())
            print(f"page of {what:12} ratio {ratio:6.2f} (asked at most {ASKED:.0f}: {verdict}; rounds {min(ratios):.2f} to "
                  f"{max(ratios):.2f})   {PAGE} of {count:,} in {large:.2f} ms, {PAGE} of {FEW:,} in {small:.2f} ms", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

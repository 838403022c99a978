"""summary.py DIR: adds up the results that a run of scripts/test left in DIR, shows what took longest, names what failed,
and prints "N passed, N failed".

DIR contains parts.tsv (a line for each part: name, milliseconds, exit status), JUnit files of pytest and of the
conformance program, and bazel.json, which names those of Bazel's tests. A part or target that failed without a failed
case (it crashed, ran too long or did not build) counts as one failure. Exits with 1 if anything failed or nothing ran.
"""

import collections
import json
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree

MESSAGE_CHARACTERS = 300
NAME_CHARACTERS = 100
LONGEST_PARTS = 10
LONGEST_TESTS = 10
# Parts that have no cases of their own: each counts as one.
CHECKS = ("format", "lint")


class Results:
    """counts: Counter of passed, failed, skipped. failures: what failed, a line each. seconds: {name of a test: how long
    it ran}, without those that Bazel has from its cache."""

    def __init__(self):
        self.counts = collections.Counter()
        self.failures = []
        self.seconds = {}

    def fail(self, what):
        self.counts["failed"] += 1
        self.failures.append(what)

    def add_junit(self, file, in_bazel=False):
        """-> how many of the file's cases failed."""
        before = self.counts["failed"]
        for case in xml.etree.ElementTree.parse(file).iter("testcase"):
            name = f"{case.get('classname')} {case.get('name')}"
            problem = next((each for each in case if each.tag in ("failure", "error")), None)
            if problem is not None:
                message = (problem.get("message") or problem.text or "").strip().partition("\n")[0]
                self.fail(f"{name}: {message[:MESSAGE_CHARACTERS]}")
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                self.counts["skipped"] += 1
            else:
                self.counts["passed"] += 1
            if not in_bazel:
                self.seconds[name] = float(case.get("time") or 0)
        return self.counts["failed"] - before

    def add_bazel(self, events):
        """-> how many failures there were."""
        before = self.counts["failed"]
        for line in events.read_text().splitlines():
            event = json.loads(line)
            identity = event.get("id", {})
            if "testResult" in identity:
                self._add_bazel_test(identity["testResult"], event["testResult"])
            elif "targetCompleted" in identity and not event.get("completed", {"success": True}).get("success"):
                self.fail(f"{identity['targetCompleted']['label']}: did not build")
        return self.counts["failed"] - before

    def _add_bazel_test(self, identity, result):
        failed = 0
        for output in result.get("testActionOutput", []):
            if output["name"] == "test.xml":
                failed += self.add_junit(urllib.parse.unquote(urllib.parse.urlsplit(output["uri"]).path), in_bazel=True)
        if result["status"] != "PASSED" and not failed:
            self.fail(f"{identity['label']}: {result['status']}")
        cached = result.get("cachedLocally") or result.get("executionInfo", {}).get("cachedRemotely")
        if not cached:
            shard = f" shard {identity['shard']}" if identity.get("shard", 1) > 1 else ""
            self.seconds[identity["label"] + shard] = int(result.get("testAttemptDurationMillis", 0)) / 1000


def read_parts(directory):
    """[(name, seconds, exit status)]"""
    file = directory / "parts.tsv"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(name, int(took) / 1000, int(status)) for name, took, status in (line.split("\t") for line in lines)]


def print_longest(what, seconds, count):
    longest = sorted(seconds.items(), key=lambda each: -each[1])[:count]
    print(f"{what} that took longest:")
    for name, took in longest:
        print(f"  {took:7.1f} s  {name[:NAME_CHARACTERS]}")


def main():
    directory = pathlib.Path(sys.argv[1])
    parts = read_parts(directory)
    results = Results()
    failures = collections.Counter()
    for file in sorted(directory.rglob("*.xml")):
        failures[str(file.relative_to(directory).with_suffix(""))] += results.add_junit(file)
    if (directory / "bazel.json").exists():
        failures["bazel"] += results.add_bazel(directory / "bazel.json")
    for name, _, status in parts:
        if status and not failures[name]:
            results.fail(f"{name}: ended with {status} (.build/test/{name}.log)")
        elif name in CHECKS and not status:
            results.counts["passed"] += 1

    counts = results.counts
    if not counts["passed"] + counts["failed"]:
        print("no test ran")
        return 1
    print_longest("Parts", {name: took for name, took, _ in parts}, LONGEST_PARTS)
    if results.seconds:
        print_longest("Tests", results.seconds, LONGEST_TESTS)
    for failure in results.failures:
        print(f"failed: {failure}")
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}")
    return 1 if counts["failed"] else 0


sys.exit(main())

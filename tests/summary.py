"""summary.py DIR: adds up the results that a run of scripts/test left in DIR, names what failed, and prints "N passed, N
failed".

JUnit files of pytest and of the conformance program lie there; bazel.json names those of Bazel's tests. A target that
failed without a failed case (it crashed, ran too long or did not build) counts as one. Ends with 1 where anything
failed or nothing ran.
"""

import collections
import json
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree

MESSAGE_CHARACTERS = 300


class Results:
    """counts: Counter of passed, failed, skipped. failures: what failed, a line each."""

    def __init__(self):
        self.counts = collections.Counter()
        self.failures = []

    def fail(self, what):
        self.counts["failed"] += 1
        self.failures.append(what)

    def add_junit(self, file):
        """-> how many of the file's cases failed."""
        before = self.counts["failed"]
        for case in xml.etree.ElementTree.parse(file).iter("testcase"):
            problem = next((each for each in case if each.tag in ("failure", "error")), None)
            if problem is not None:
                message = (problem.get("message") or problem.text or "").strip().partition("\n")[0]
                self.fail(f"{case.get('classname')} {case.get('name')}: {message[:MESSAGE_CHARACTERS]}")
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                self.counts["skipped"] += 1
            else:
                self.counts["passed"] += 1
        return self.counts["failed"] - before

    def add_bazel(self, events):
        for line in events.read_text().splitlines():
            event = json.loads(line)
            identity = event.get("id", {})
            if "testResult" in identity:
                result = event["testResult"]
                failed = 0
                for output in result.get("testActionOutput", []):
                    if output["name"] == "test.xml":
                        failed += self.add_junit(urllib.parse.unquote(urllib.parse.urlsplit(output["uri"]).path))
                if result["status"] != "PASSED" and not failed:
                    self.fail(f"{identity['testResult']['label']}: {result['status']}")
            elif "targetCompleted" in identity and not event.get("completed", {"success": True}).get("success"):
                self.fail(f"{identity['targetCompleted']['label']}: did not build")


def main():
    directory = pathlib.Path(sys.argv[1])
    results = Results()
    for file in sorted(directory.rglob("*.xml")):
        results.add_junit(file)
    if (directory / "bazel.json").exists():
        results.add_bazel(directory / "bazel.json")
    counts = results.counts
    if not counts["passed"] + counts["failed"]:
        print("no test ran")
        return 1
    for failure in results.failures:
        print(f"failed: {failure}")
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}")
    return 1 if counts["failed"] else 0


sys.exit(main())

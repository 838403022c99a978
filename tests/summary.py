"""summary.py DIR: adds up the results that a run of scripts/test left in DIR, and prints "N passed, N failed".

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


def count_cases(file):
    """Counter of passed, failed, skipped."""
    counts = collections.Counter()
    for case in xml.etree.ElementTree.parse(file).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts["failed"] += 1
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            counts["skipped"] += 1
        else:
            counts["passed"] += 1
    return counts


def count_bazel(events):
    total = collections.Counter()
    for line in events.read_text().splitlines():
        event = json.loads(line)
        if "testResult" in event.get("id", {}):
            result = event["testResult"]
            counts = collections.Counter()
            for output in result.get("testActionOutput", []):
                if output["name"] == "test.xml":
                    counts = count_cases(urllib.parse.unquote(urllib.parse.urlsplit(output["uri"]).path))
            if result["status"] != "PASSED" and not counts["failed"]:
                counts["failed"] = 1
            total += counts
        elif "targetCompleted" in event.get("id", {}) and not event.get("completed", {"success": True}).get("success"):
            total["failed"] += 1
    return total


def main():
    directory = pathlib.Path(sys.argv[1])
    total = collections.Counter()
    for file in sorted(directory.rglob("*.xml")):
        total += count_cases(file)
    if (directory / "bazel.json").exists():
        total += count_bazel(directory / "bazel.json")
    if not total["passed"] + total["failed"]:
        print("no test ran")
        return 1
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"{total['passed']} passed, {total['failed']} failed{skipped}")
    return 1 if total["failed"] else 0


sys.exit(main())

"""Waits and measured times follow the monotonic clock: the system's clock may be set at any time.

Waits of Abseil with a limit follow the system's clock, also those that take a duration. services/core/time has what to use
instead: Deadline with std::condition_variable, StopSignal, Stopwatch; GrpcDeadline for calls."""

import re

from docs.tree import assert_none, repository

# Why each may read the system's clock: it writes the time, or it is the clock that others take the time from.
READS_THE_TIME = {
    "gateway/http/server_fields.cc",
    "services/core/time/clock.h",
    "services/ctl/commands/backup_commands.cc",
    "services/runtime/log/audit_log.cc",
    "services/runtime/log/json_log.cc",
    "services/runtime/log/limited_log.cc",
}
WAIT = re.compile(
    r"\b(WaitWith(?:Timeout|Deadline)|AwaitWith(?:Timeout|Deadline)|LockWhenWith(?:Timeout|Deadline)"
    r"|WaitForNotificationWith(?:Timeout|Deadline)|(?:Reader)?LockWhenWith\w+|ToChronoTime|CLOCK_REALTIME)\b"
)
NOW = re.compile(r"\babsl::(?:Now|GetCurrentTimeNanos)\(|\bsystem_clock\b|\b(?:time|gettimeofday)\((?:NULL|nullptr|&)")


def check(file, text):
    wrong = []
    for number, line in enumerate(text.split("\n"), 1):
        code = line.partition("//")[0]
        if found := WAIT.search(code):
            wrong.append(f"{file}:{number}: {found[0]} follows the system's clock")
        if NOW.search(code) and file not in READS_THE_TIME:
            wrong.append(f"{file}:{number}: the system's clock is read; take a Clock for the time, a Stopwatch to measure")
    return wrong


def test_no_source_waits_or_measures_by_the_clock_of_the_system():
    tree = repository()
    sources = [file for file in tree.sources() if "test_se" not in file]  # test_server.h, test_service.cc
    assert len(sources) > 300
    assert_none([line for file in sources for line in check(file, tree.text(file))])


def test_the_exceptions_are_needed():
    tree = repository()
    assert_none([file for file in READS_THE_TIME if not NOW.search(tree.text(file))])


def test_finds_waits_and_readings():
    text = "\n".join(
        [
            "if (mutex_.AwaitWithDeadline(condition, deadline)) return;",
            "changed_.WaitWithTimeout(&mutex_, absl::Seconds(1));",
            "const absl::Time start = absl::Now();",
            "const auto deadline = std::chrono::system_clock::now() + patience;",
            "// absl::Now() extrapolates.",
            "return clock_->Now();",
        ]
    )
    assert [line.partition(": ")[0] for line in check("a.cc", text)] == ["a.cc:1", "a.cc:2", "a.cc:3", "a.cc:4"]
    assert [line.partition(": ")[0] for line in check("services/core/time/clock.h", text)] == [
        "services/core/time/clock.h:1",
        "services/core/time/clock.h:2",
    ]

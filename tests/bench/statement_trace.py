"""Which statements a load makes in PostgreSQL, which locks they take and which rows they write: from the server's log, with
the parameters of each statement.

The names of statements are those of services/kv/postgres/postgres_statements.cc.
"""

import collections
import re
import time

from fixtures import engines

_STATEMENT = re.compile(r"LOG:  execute (\w+): ")
_PARAMETERS = re.compile(r"DETAIL:  parameters: (.*)")
_PARAMETER = re.compile(r"\$(\d+) = '((?:[^']|'')*)'")
_BYTES = re.compile(r"\\\\x([0-9a-f]*)")


def trace(work):
    """Calls work(), which returns how many units of load it made -> {what: number for each unit}, without what there is
    without load. What: "transactions that write", "locks shared", "locks exclusive", "rows put b/" and "rows deleted b/" for each
    kind of key, "keys read", "scans"."""
    with _Logged() as log:
        begin = time.monotonic()
        units = work()
        seconds = time.monotonic() - begin
        busy = _count(log.read())
        begin = time.monotonic()
        time.sleep(max(seconds, 5))
        idle_seconds = time.monotonic() - begin
        idle = _count(log.read())
    found = {what: (busy[what] - idle[what] * seconds / idle_seconds) / units for what in sorted(busy)}
    return {what: number for what, number in found.items() if number >= 0.02}


class _Logged:
    """The server logs all statements within the with-block."""

    def __enter__(self):
        self._set("all")
        self._file = open(engines.server_log(), encoding="utf-8", errors="replace")
        self._file.seek(0, 2)
        return self

    def __exit__(self, *_):
        self._set("none")
        self._file.close()

    def read(self):
        """-> the lines since the last call."""
        return self._file.read().splitlines()

    @staticmethod
    def _set(which):
        engines.postgres().sql(f"ALTER SYSTEM SET log_statement = '{which}'")
        engines.postgres().sql("SELECT pg_reload_conf()")
        time.sleep(1)  # Sessions take it over between two statements; nothing shows when all have.


def _count(lines):
    found = collections.Counter()
    statement = None
    for line in lines:
        match = _STATEMENT.search(line)
        if match:
            statement = match[1]
            if statement == "note":
                found["transactions that write"] += 1
            elif statement.startswith("scan"):
                found["scans"] += 1
            continue
        match = _PARAMETERS.search(line)
        if match and statement:
            parameters = dict(_PARAMETER.findall(match[1]))
            _count_parameters(statement, parameters, found)
            statement = None
    return found


def _count_parameters(statement, parameters, found):
    if statement == "lock":
        modes = parameters["2"].strip("{}").split(",")
        found["locks exclusive"] += modes.count("t")
        found["locks shared"] += modes.count("f")
    elif statement == "get":
        found["keys read"] += len(_BYTES.findall(parameters["1"]))
    elif statement in ("put", "delete"):
        for key in _BYTES.findall(parameters["1"]):
            found[f"rows {'put' if statement == 'put' else 'deleted'} {_kind(bytes.fromhex(key))}"] += 1


def _kind(key):
    return key.partition(b"/")[0].decode(errors="replace") + "/"

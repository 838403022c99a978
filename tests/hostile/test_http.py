"""Requests that violate HTTP's grammar or the gateway's limits are refused; unusual valid ones are answered."""

import contextlib
import email
import email.policy
import time

import pytest

from hostile.raw import Connection, digest_of, exchange, image_of, push_blob, put_manifest, request, start_upload

OUTSIDE_THE_GRAMMAR = {
    "length and coding": b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "two equal lengths": b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                         b"Content-Length: 5\r\n\r\nhello",
    "a list of lengths": b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5, 5\r\n\r\nhello",
    "negative length": b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "signed length": b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nhello",
    "length 2^64": b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 18446744073709551616\r\n\r\n",
    "bare LF": b"GET /v2/ HTTP/1.1\nHost: localhost\n\n",
    "bare LF between fields": b"GET /v2/ HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
    "bare CR in a value": b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
    "folded field": b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
    "blank before the colon": b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nX : a\r\n\r\n",
    "field without a colon": b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n",
    "field without a name": b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n: a\r\n\r\n",
    "NUL in a value": b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
    "NUL in a name": b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nX\x00: a\r\n\r\n",
    "no host": b"GET /v2/ HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    "malformed host": b"GET /v2/ HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "host with user": b"GET /v2/ HTTP/1.1\r\nHost: user@h\r\n\r\n",
    "two blanks": b"GET  /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no target": b"GET HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "relative target": b"GET v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "fragment": b"GET /v2/#x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "lower-case protocol": b"GET /v2/ http/1.1\r\nHost: localhost\r\n\r\n",
    "method with a control byte": b"G\x01T /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 60 + b"\r\n\r\n",
    "unknown coding": b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding with a tab": b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("data", OUTSIDE_THE_GRAMMAR.values(), ids=OUTSIDE_THE_GRAMMAR)
def test_request_outside_the_grammar_is_refused_and_the_connection_closed(registry, data):
    with Connection(registry.port) as connection:
        connection.send(data)
        answer = connection.receive()
        assert answer.status in ((400, 501) if b"gzip" in data else (400, 505) if b"http/" in data else (400,))
        assert answer.closed
        assert connection.is_closed()


@pytest.mark.parametrize("chunks", [
    b"x\r\n", b"-1\r\nabc\r\n", b"ffffffffffffffffff\r\nabc", b"3\r\nabcd\r\n0\r\n\r\n", b"3\nabc\r\n0\r\n\r\n",
    b"3;" + b"x" * 100_000 + b"\r\nabc\r\n0\r\n\r\n", b"0x3\r\nabc\r\n0\r\n\r\n", b" 3\r\nabc\r\n0\r\n\r\n",
    b"3\r\nabc\r\n0\r\n" + b"T: x\r\n" * 100_000 + b"\r\n",
])
def test_malformed_chunks_are_refused(registry, chunks):
    """The upload session survives."""
    location = start_upload(registry.port, "hostile/http")
    with Connection(registry.port) as connection:
        with contextlib.suppress(OSError):  # The registry may close the connection before all bytes are sent.
            connection.send(f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + chunks)
        answer = connection.receive()
        assert answer.status in (400, 431), answer
        assert answer.closed
    assert request(registry.port, "GET", location).status == 204


def test_well_formed_chunks_are_accepted(registry):
    location = start_upload(registry.port, "hostile/http")
    body = b"3;ext=1\r\nabc\r\n" + b"00A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    answer = exchange(registry.port, f"PUT {location}?digest={digest_of(b'abc0123456789')} HTTP/1.1\r\nHost: localhost\r\n"
                                     "Transfer-Encoding: Chunked\r\n\r\n".encode() + body)
    assert answer.status == 201, answer


def test_smuggled_request_is_not_answered(registry):
    with Connection(registry.port) as connection:
        connection.send(b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked"
                        b"\r\n\r\n0\r\n\r\nGET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.receive().status == 400
        assert connection.is_closed()


def test_http_1_0_gets_no_chunks_and_a_closed_connection(registry):
    with Connection(registry.port) as connection:
        connection.send(b"GET /v2/ HTTP/1.0\r\n\r\n")
        answer = connection.receive()
        assert answer.status == 200
        assert answer.field("Transfer-Encoding") is None
        assert answer.body == b"{}"
        assert connection.is_closed()


def test_http_1_0_with_chunks_is_refused(registry):
    answer = exchange(registry.port, b"POST /v2/a/blobs/uploads/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert answer.status == 400


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/3.0", b"HTTP/0.9", b"HTTP/1.2"])
def test_other_versions_are_refused(registry, version):
    answer = exchange(registry.port, b"GET /v2/ " + version + b"\r\nHost: localhost\r\n\r\n")
    assert answer.status in ((200, 400, 505) if version == b"HTTP/1.2" else (400, 505))


def test_absolute_form_is_routed_by_its_path(registry):
    with Connection(registry.port) as connection:
        connection.send(b"GET http://127.0.0.1/v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.receive().status == 200
        connection.send(b"GET http://127.0.0.1/v3/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.receive().status == 404
        connection.send(b"GET http://127.0.0.1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.receive().field("Content-Type").startswith("text/html")


@pytest.mark.parametrize("method,target", [("TRACE", "/v2/"), ("CONNECT", "h:80"), ("PATCH", "/v2/"), ("POST", "/v2/"),
                                           ("PUT", "/v2/a/tags/list"), ("POST", "/v2/a/manifests/v1"),
                                           ("PATCH", f"/v2/a/blobs/sha256:{'0' * 64}"), ("BREW", "/v2/"),
                                           ("PUT", "/v2/_catalog"), ("DELETE", f"/v2/a/referrers/sha256:{'0' * 64}")])
def test_other_methods_are_405_with_allow(registry, method, target):
    answer = request(registry.port, method, target)
    assert answer.status == 405
    assert "GET" in answer.field("Allow")
    assert method not in answer.field("Allow")


def test_huge_fields_are_431(registry):
    assert request(registry.port, "GET", "/v2/", [("X-Big", "x" * 100_000)]).status == 431
    assert request(registry.port, "GET", "/v2/", [(f"X-{n}", "x") for n in range(10_000)]).status == 431


def test_long_target_is_414(registry):
    answer = request(registry.port, "GET", "/v2/" + "a" * 20_000)
    assert answer.status == 414
    assert answer.closed


def test_many_ranges_get_at_most_the_whole_blob(registry):
    data = b"r" * 10_000
    digest = push_blob(registry.port, "hostile/http", data)["digest"]
    target = f"/v2/hostile/http/blobs/{digest}"
    for count, status in ((64, 200), (65, 400), (7_000, 400), (10_000, 431)):  # 10,000 exceed the limit of the header.
        answer = request(registry.port, "GET", target, [("Range", "bytes=" + ",".join(["0-0"] * count))])
        assert answer.status == status
        assert len(answer.body) <= len(data)


def test_several_ranges_are_answered_as_multipart_byteranges(registry):
    data = bytes(range(250)) * 4
    digest = push_blob(registry.port, "hostile/http", data)["digest"]
    ranges = [(10 * n, 10 * n + n % 7) for n in range(64)]
    answer = request(registry.port, "GET", f"/v2/hostile/http/blobs/{digest}",
                     [("Range", "bytes=" + ",".join(f"{first}-{last}" for first, last in ranges))])
    assert answer.status == 206
    head = f"Content-Type: {answer.field('Content-Type')}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + answer.body, policy=email.policy.HTTP).get_payload()
    assert [part["Content-Range"] for part in parts] == [f"bytes {first}-{last}/1000" for first, last in ranges]
    assert [part.get_payload(decode=True) for part in parts] == [data[first:last + 1] for first, last in ranges]


@pytest.mark.parametrize("value,status,content", [
    ("bytes=0-9", 206, slice(0, 10)), ("bytes=500-", 206, slice(500, None)), ("bytes=-500", 206, slice(-500, None)),
    ("bytes=-5000", 206, slice(0, None)), ("bytes=990-5000", 206, slice(990, None)), ("bytes=1000-", 416, None),
    ("bytes=5-1", (200, 416), slice(0, None)), ("bytes=-0", 416, None), ("chunks=0-9", 200, slice(0, None)),
    ("bytes=a-b", 200, slice(0, None)), ("bytes=0-5,5-6", 200, slice(0, None)),
    ("bytes=99999999999999999999-", (200, 416), slice(0, None)), ("bytes=0-99999999999999999999", (200, 206), slice(0, None)),
])
def test_range_is_answered_with_its_bytes_or_ignored_or_416(registry, value, status, content):
    data = bytes(range(250)) * 4
    digest = push_blob(registry.port, "hostile/http", data)["digest"]
    answer = request(registry.port, "GET", f"/v2/hostile/http/blobs/{digest}", [("Range", value)])
    assert answer.status in (status if isinstance(status, tuple) else (status,))
    if answer.status == 416:
        assert answer.field("Content-Range") == "bytes */1000"
    else:
        assert answer.body == data[content]
    if answer.status == 206:
        start, end, _ = content.indices(1000)
        assert answer.field("Content-Range") == f"bytes {start}-{end - 1}/1000"


def test_matching_if_none_match_is_304(registry):
    image = image_of(registry.port, "hostile/http")
    pushed = put_manifest(registry.port, "hostile/http", "etag", image)
    digest = pushed.field("Docker-Content-Digest")
    for target in (f"/v2/hostile/http/manifests/etag", f"/v2/hostile/http/blobs/{image['config']['digest']}"):
        tag = request(registry.port, "GET", target).field("ETag")
        assert tag in (f'"{digest}"', f'"{image["config"]["digest"]}"')
        for value in (tag, tag.strip('"'), f'"other", {tag}', "*", f"W/{tag}"):
            answer = request(registry.port, "GET", target, [("If-None-Match", value)])
            assert (answer.status, answer.body) == (304, b""), value
        assert request(registry.port, "GET", target, [("If-None-Match", '"sha256:other"')]).status == 200


def test_expect_continue_is_answered_before_the_body(registry):
    with Connection(registry.port) as connection:
        connection.send(b"PUT /v2/hostile/http/blobs/uploads/" + b"0" * 32 + b"?digest=sha256:" + b"0" * 64 +
                        b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")
        assert connection.receive().status == 404  # Refused before any byte of the body.
    location = start_upload(registry.port, "hostile/http")
    with Connection(registry.port) as connection:
        connection.send(f"PUT {location}?digest={digest_of(b'hello')} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                        "Expect: 100-continue\r\n\r\n".encode())
        connection._fill()
        assert connection.received.startswith(b"HTTP/1.1 100 ")
        connection.send(b"hello")
        assert connection.receive().status == 201
    assert request(registry.port, "GET", "/v2/", [("Expect", "nonsense")]).status == 417


def test_forwarded_fields_are_ignored(registry):
    fields = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.example"), ("Forwarded", "host=evil.example")]
    answer = request(registry.port, "POST", "/v2/hostile/http/blobs/uploads/", fields)
    assert answer.status == 202
    assert answer.field("Location").startswith("/v2/")
    assert "evil" not in str(answer.fields)


def test_pipelined_requests_are_answered_in_order(registry):
    with Connection(registry.port) as connection:
        connection.send(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\nGET /v2/absent/tags/list HTTP/1.1\r\nHost: localhost\r\n\r\n"
                        b"HEAD /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\nGET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        statuses = [connection.receive(method).status for method in ("GET", "GET", "HEAD", "GET")]
    assert statuses == [200, 404, 200, 200]


@pytest.mark.parametrize("target", ["/v2/", "/v2/absent/tags/list", "/nonsense", "/v2/A/tags/list"])
def test_every_answer_has_the_api_version_and_a_request_id(registry, target):
    answer = request(registry.port, "GET", target)
    assert answer.field("Docker-Distribution-Api-Version") == "registry/2.0"
    assert answer.field("X-Request-Id")


@pytest.fixture(name="impatient")
def fixture_impatient(make_registry):
    """A registry with timeouts of seconds instead of minutes."""
    return make_registry(config={"limits": {"header_timeout": "1s", "idle_timeout": "2s",
                                            "minimum_rate_bytes_per_second": 1000, "minimum_rate_window": "1s"}})


def trickle(connection, data):
    """Sends `data` every 0.2 seconds until the registry answers or closes the connection."""
    connection.socket.settimeout(0.2)
    end = time.monotonic() + 15
    while time.monotonic() < end:
        try:
            connection.send(data)
            connection._fill()
            return
        except TimeoutError:
            continue
        except OSError:
            return
    raise AssertionError("the registry neither answers nor closes the connection")


def test_incomplete_header_is_408(impatient):
    with Connection(impatient.port) as connection:
        connection.send(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n")
        start = time.monotonic()
        answer = connection.receive()
        assert answer.status == 408
        assert time.monotonic() - start < 10
        assert connection.is_closed()


def test_slow_header_is_408(impatient):
    """A field every 0.2 seconds: each arrives before the timeout, the end of the header does not."""
    with Connection(impatient.port) as connection:
        connection.send(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n")
        trickle(connection, b"X: y\r\n")
        assert connection.received.startswith(b"HTTP/1.1 408 ")


def test_body_below_the_minimum_rate_is_cut_off(impatient):
    """A byte every 0.2 seconds; the upload session survives."""
    location = start_upload(impatient.port, "hostile/slow")
    with Connection(impatient.port) as connection:
        connection.send(f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n".encode())
        trickle(connection, b"x")
    assert request(impatient.port, "GET", location).status == 204


def test_idle_connection_is_closed(impatient):
    with Connection(impatient.port) as connection:
        connection.send(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.receive().status == 200
        assert connection.is_closed()


@pytest.mark.parametrize("field", [("Origin", "http://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site"),
                                   ("Sec-Fetch-Site", "same-site")])
def test_web_pages_of_other_origins_change_nothing(registry, field):
    location = start_upload(registry.port, "hostile/http")
    for method, target in [("POST", "/v2/hostile/http/blobs/uploads/"), ("PATCH", location), ("DELETE", location),
                           ("PUT", "/v2/hostile/http/manifests/latest"), ("POST", "/entrepot/v1/maintain")]:
        answer = request(registry.port, method, target, [field, ("Content-Type", "application/json")])
        assert (answer.status, answer.code()) == (403, "DENIED"), answer
    assert request(registry.port, "GET", location, [field]).status == 204


def test_commands_need_the_type_that_pages_may_not_send(registry):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=application/json"):
        answer = request(registry.port, "POST", "/entrepot/v1/maintain", [("Content-Type", kind)], b'{"getStatus": {}}')
        assert answer.status == 415, answer
    json_type = [("Content-Type", "application/json; charset=utf-8")]
    assert request(registry.port, "POST", "/entrepot/v1/maintain", json_type, b'{"getStatus": {}}').status == 200


@pytest.mark.parametrize("host", ["rebound.example", "rebound.example:5000", "0.0.0.0", "localhost.rebound.example", "[::2]"])
def test_names_that_are_not_the_registrys_are_refused(registry, host):
    for target in ("/", "/v2/", "/v2/_catalog", "/v2/a/tags/list", "/nowhere"):
        answer = exchange(registry.port, f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert (answer.status, answer.code()) == (403, "DENIED"), answer
        assert "listen.names" in answer.body.decode()


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "a.localhost", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000"])
def test_loopback_names_are_the_registrys(registry, host):
    assert exchange(registry.port, f"GET /v2/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).status == 200

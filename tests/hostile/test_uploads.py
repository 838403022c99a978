"""Invalid upload requests commit no incomplete blob, and leave the upload session usable."""

import concurrent.futures
import socket

import pytest

from fixtures.polling import wait_for
from hostile.raw import Connection, digest_of, push_blob, request, start_upload

REPOSITORY = "hostile/uploads"
DATA = b"0123456789" * 100


def patch(port, location, data, content_range=None):
    fields = [("Content-Type", "application/octet-stream")]
    if content_range is not None:
        fields.append(("Content-Range", content_range))
    return request(port, "PATCH", location, fields, data)


def offset_of(port, location):
    """-> how many bytes the upload session holds, by its `Range`: 1 for an empty session too, whose range is 0-0."""
    answer = request(port, "GET", location)
    assert answer.status == 204, answer
    first, last = answer.field("Range").split("-")
    assert first == "0"
    return int(last) + 1


def finish(port, location, data):
    answer = request(port, "PUT", f"{location}?digest={digest_of(data)}")
    assert answer.status == 201, answer
    assert request(port, "GET", f"/v2/{REPOSITORY}/blobs/{digest_of(data)}").body == data


@pytest.mark.parametrize("content_range", [
    "5-3", "a-b", "bytes 0-3/4", "0-18446744073709551616", "-5", "5-", "", "0--1", "0-1-2", "18446744073709551615-1",
])
def test_malformed_content_range_is_refused_without_effect(registry, content_range):
    location = start_upload(registry.port, REPOSITORY)
    assert patch(registry.port, location, DATA).status == 202
    assert patch(registry.port, location, b"more", content_range).status in (400, 416)
    assert offset_of(registry.port, location) == len(DATA)
    finish(registry.port, location, DATA)


@pytest.mark.parametrize("first", [len(DATA) + 1, len(DATA) - 1, 0])
def test_chunk_at_a_wrong_offset_is_416(registry, first):
    location = start_upload(registry.port, REPOSITORY)
    assert patch(registry.port, location, DATA, f"0-{len(DATA) - 1}").status == 202
    answer = patch(registry.port, location, DATA, f"{first}-{first + len(DATA) - 1}")
    assert (answer.status, answer.code()) == (416, "RANGE_INVALID")
    assert answer.field("Range") == f"0-{len(DATA) - 1}"
    finish(registry.port, location, DATA)


def test_416_of_an_empty_session_has_no_range(registry):
    location = start_upload(registry.port, REPOSITORY)
    answer = patch(registry.port, location, DATA, f"5-{4 + len(DATA)}")
    assert answer.status == 416
    assert answer.field("Range") is None


def test_put_at_a_wrong_offset_is_416(registry):
    location = start_upload(registry.port, REPOSITORY)
    assert patch(registry.port, location, DATA).status == 202
    answer = request(registry.port, "PUT", f"{location}?digest={digest_of(DATA)}",
                     [("Content-Range", f"5-{4 + len(DATA)}")], DATA)
    assert answer.status == 416
    finish(registry.port, location, DATA)


def test_content_range_of_another_length_than_the_body_is_400(registry):
    location = start_upload(registry.port, REPOSITORY)
    answer = patch(registry.port, location, DATA, "0-9")
    assert (answer.status, answer.code()) == (400, "SIZE_INVALID")
    answer = patch(registry.port, location, DATA)
    assert answer.status == 202
    finish(registry.port, location, DATA)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_disconnect_within_a_body_commits_nothing_and_the_upload_continues(registry, method):
    location = start_upload(registry.port, REPOSITORY)
    whole = b"x" * 1_000_000
    query = f"?digest={digest_of(whole[:1000])}" if method == "PUT" else ""
    with Connection(registry.port) as connection:
        connection.send(f"{method} {location}{query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(whole)}\r\n\r\n".encode()
                        + whole[:1000])
        connection.socket.shutdown(socket.SHUT_WR)
        for _ in range(100):
            if not connection._fill():
                break
        else:
            raise AssertionError("the registry does not close the connection")
    assert request(registry.port, "GET", f"/v2/{REPOSITORY}/blobs/{digest_of(whole[:1000])}").status == 404
    wait_for(lambda: request(registry.port, "GET", location), lambda answer: answer.status == 204)
    offset = offset_of(registry.port, location)
    offset = 0 if offset == 1 else offset
    assert offset <= 1000
    answer = patch(registry.port, location, whole[offset:], f"{offset}-{len(whole) - 1}")
    assert answer.status == 202, answer
    finish(registry.port, location, whole)


def test_put_without_digest_is_400_and_can_be_repeated(registry):
    location = start_upload(registry.port, REPOSITORY)
    assert patch(registry.port, location, DATA).status == 202
    answer = request(registry.port, "PUT", location)
    assert (answer.status, answer.code()) == (400, "DIGEST_INVALID")
    finish(registry.port, location, DATA)


@pytest.mark.parametrize("digest", ["sha256:abc", "sha256:" + "0" * 64, "sha512:" + "0" * 128, "nonsense", ""])
def test_wrong_digest_is_400(registry, digest):
    location = start_upload(registry.port, REPOSITORY)
    answer = request(registry.port, "PUT", f"{location}?digest={digest}", body=DATA)
    assert (answer.status, answer.code()) == (400, "DIGEST_INVALID")
    answer = request(registry.port, "POST", f"/v2/{REPOSITORY}/blobs/uploads/?digest={digest}", body=DATA)
    assert answer.status == 400, answer


def test_put_with_two_digests_is_400(registry):
    location = start_upload(registry.port, REPOSITORY)
    assert patch(registry.port, location, DATA).status == 202
    digest = digest_of(DATA)
    assert request(registry.port, "PUT", f"{location}?digest={digest}&digest={digest}").status == 400
    finish(registry.port, location, DATA)


def test_unknown_and_malformed_sessions_are_404(registry):
    for session in ("0" * 32, "nonsense", "..%2f..%2fetc", "a" * 4000):
        for method in ("GET", "PATCH", "PUT", "DELETE"):
            query = f"?digest={digest_of(DATA)}" if method == "PUT" else ""
            answer = request(registry.port, method, f"/v2/{REPOSITORY}/blobs/uploads/{session}{query}")
            assert answer.status in (400, 404) if "%" in session else answer.status == 404, (session, method, answer)


def test_upload_session_is_404_in_another_repository(registry):
    location = start_upload(registry.port, REPOSITORY)
    elsewhere = location.replace(REPOSITORY, "hostile/other")
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        query = f"?digest={digest_of(DATA)}" if method == "PUT" else ""
        answer = request(registry.port, method, elsewhere + query, body=b"" if method in ("GET", "DELETE") else DATA)
        assert (answer.status, answer.code()) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert patch(registry.port, location, DATA).status == 202
    finish(registry.port, location, DATA)


def test_one_of_concurrent_patches_at_one_offset_succeeds(registry):
    location = start_upload(registry.port, REPOSITORY)
    data = b"z" * 3_000_000
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: patch(registry.port, location, data, f"0-{len(data) - 1}"), range(8)))
    assert sorted(answer.status for answer in answers) == [202] + [416] * 7
    finish(registry.port, location, data)


def test_repeated_put_is_201_again_and_the_blob_stays(registry):
    location = start_upload(registry.port, REPOSITORY)
    assert patch(registry.port, location, DATA).status == 202
    finish(registry.port, location, DATA)
    for body in (b"", DATA):
        again = request(registry.port, "PUT", f"{location}?digest={digest_of(DATA)}", body=body)
        assert again.status == 201, again
        assert again.field("Location") == f"/v2/{REPOSITORY}/blobs/{digest_of(DATA)}"
        assert again.field("Docker-Content-Digest") == digest_of(DATA)
    wrong = digest_of(DATA + b"!")
    assert request(registry.port, "PUT", f"{location}?digest={wrong}", body=DATA).status == 404
    assert request(registry.port, "GET", f"/v2/{REPOSITORY}/blobs/{digest_of(DATA)}").body == DATA


def test_impossible_mount_starts_an_upload(registry):
    digest = push_blob(registry.port, "hostile/source", b"mount me")["digest"]
    for query, status in [
        (f"mount={digest}&from=hostile/nowhere", 202),
        (f"mount=sha256:{'0' * 64}&from=hostile/source", 202),
        (f"mount=sha256:{'0' * 64}", 202),
        (f"mount={digest}&from=hostile/source", 201),
    ]:
        answer = request(registry.port, "POST", f"/v2/hostile/target/blobs/uploads/?{query}")
        assert answer.status == status, (query, answer)
    assert request(registry.port, "GET", f"/v2/hostile/target/blobs/{digest}").body == b"mount me"


def test_blob_of_another_repository_is_404(registry):
    digest = push_blob(registry.port, "hostile/mine", b"only here")["digest"]
    for method in ("GET", "HEAD", "DELETE"):
        assert request(registry.port, method, f"/v2/hostile/yours/blobs/{digest}").status == 404
    assert request(registry.port, "GET", f"/v2/hostile/mine/blobs/{digest}").status == 200


def test_empty_blob_is_stored(registry):
    digest = push_blob(registry.port, REPOSITORY, b"")["digest"]
    answer = request(registry.port, "GET", f"/v2/{REPOSITORY}/blobs/{digest}")
    assert (answer.status, answer.field("Content-Length"), answer.body) == (200, "0", b"")


def test_cancelled_upload_session_is_404(registry):
    location = start_upload(registry.port, REPOSITORY)
    assert patch(registry.port, location, DATA).status == 202
    assert request(registry.port, "DELETE", location).status == 204
    for method in ("GET", "PATCH"):
        assert request(registry.port, method, location).status == 404
    assert request(registry.port, "PUT", f"{location}?digest={digest_of(DATA)}").status == 404
    # As a client does that did not get the answer.
    assert request(registry.port, "DELETE", location).status == 204


def test_location_of_an_upload_is_a_path_without_query(registry):
    location = start_upload(registry.port, REPOSITORY)
    assert location.startswith(f"/v2/{REPOSITORY}/blobs/uploads/")
    assert "?" not in location
    answer = patch(registry.port, location, b"")
    assert answer.field("Range") == "0-0"


def test_unknown_digest_algorithm_is_400(registry):
    answer = request(registry.port, "POST", f"/v2/{REPOSITORY}/blobs/uploads/?digest-algorithm=md5")
    assert answer.status == 400

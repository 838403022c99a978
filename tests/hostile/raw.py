"""Requests as raw bytes: no library corrects them on the way to the registry."""

import dataclasses
import hashlib
import json
import socket

TIMEOUT_SECONDS = 20  # Of each receive.
INFORMATIONAL_ANSWERS_MAX = 10
HEAD_BYTES_MAX = 1 << 20


@dataclasses.dataclass
class Answer:
    status: int
    fields: list  # (lower-case name, value)
    body: bytes
    closed: bool  # Whether the answer contains `Connection: close`.

    def field(self, name):
        values = [value for field, value in self.fields if field == name.lower()]
        assert len(values) <= 1, f"{len(values)} fields {name}"
        return values[0] if values else None

    def code(self):
        """-> the first OCI error code."""
        assert self.field("Content-Type").startswith("application/json"), self
        return json.loads(self.body)["errors"][0]["code"]


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _fill(self):
        """Receives more bytes -> whether there were any before the registry closed the connection."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.received += data
        return bool(data)

    def receive(self, method="GET"):
        """-> the next answer whose status is not 1xx."""
        for _ in range(INFORMATIONAL_ANSWERS_MAX):
            lines = self._receive_head().decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ")[1])
            if status >= 200:
                break
        assert status >= 200, f"{INFORMATIONAL_ANSWERS_MAX} answers of 1xx"
        fields = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            assert name and name.strip() == name, line
            fields.append((name.lower(), value.strip()))
        length = int(dict(fields).get("content-length", 0))
        if method == "HEAD" or status in (204, 304):
            length = 0
        while len(self.received) < length:
            assert self._fill(), "the registry closed the connection within a body"
        body, self.received = self.received[:length], self.received[length:]
        closed = dict(fields).get("connection", "").lower() == "close"
        return Answer(status, fields, body, closed)

    def _receive_head(self):
        while b"\r\n\r\n" not in self.received:
            assert self._fill(), f"the registry closed the connection without an answer; got {self.received[:200]!r}"
            assert len(self.received) < HEAD_BYTES_MAX, "the head does not end"
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        return head

    def wait_for_continue(self):
        head = self._receive_head()
        assert head.startswith(b"HTTP/1.1 100 "), head

    def is_closed(self):
        """Waits for the next bytes or the end -> whether the registry closes the connection without more bytes."""
        return self.received == b"" and not self._fill()


def exchange(port, data, method="GET"):
    """Sends one request on a new connection -> the answer."""
    with Connection(port) as connection:
        connection.send(data)
        return connection.receive(method)


def request(port, method, target, fields=(), body=b""):
    """Sends a well-formed request, but for its target -> the answer."""
    lines = [f"{method} ".encode() + (target if isinstance(target, bytes) else target.encode()) + b" HTTP/1.1"]
    lines.append(b"Host: localhost")
    names = {name.lower() for name, _ in fields}
    if (body or method in ("POST", "PUT", "PATCH")) and not names & {"content-length", "transfer-encoding"}:
        lines.append(b"Content-Length: %d" % len(body))
    lines.extend(f"{name}: {value}".encode("latin-1") for name, value in fields)
    return exchange(port, b"\r\n".join(lines) + b"\r\n\r\n" + body, method)


def digest_of(data, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def start_upload(port, repository):
    answer = request(port, "POST", f"/v2/{repository}/blobs/uploads/")
    assert answer.status == 202, answer
    return answer.field("Location")


def push_blob(port, repository, data):
    digest = digest_of(data)
    answer = request(port, "PUT", f"{start_upload(port, repository)}?digest={digest}", body=data)
    assert answer.status == 201, answer
    return {"digest": digest, "size": len(data)}


OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def image_of(port, repository, layer=b"layer"):
    """Pushes the blobs of an image -> its manifest, as a dict."""
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, **push_blob(port, repository, b"{}")},
        "layers": [{"mediaType": OCI_LAYER, **push_blob(port, repository, layer)}],
    }


def put_manifest(port, repository, reference, content, media_type=OCI_MANIFEST, fields=()):
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    return request(port, "PUT", f"/v2/{repository}/manifests/{reference}",
                   [("Content-Type", media_type), *fields], content)

"""What an attacker has: a web server with pages, and names that resolve to what the attacker likes.

Each server listens on a port of 127.0.0.1 and runs in a thread."""

import http.client
import http.server
import json
import pathlib
import queue
import socket
import socketserver
import threading

PAGES = pathlib.Path(__file__).parent
PAGE = """<!doctype html><meta charset="utf-8"><title>attack</title><body><script>
const target = {target};
</script><script>
{script}
</script>"""


class Server:
    def __init__(self, server):
        self._server = server
        server.daemon_threads = True
        self.port = server.server_address[1]
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Attacker(Server):
    """Serves pages with scripts of this directory, and receives what they report."""

    def __init__(self):
        self._pages = {}
        self._reports = queue.Queue()
        # What scripts inside of pushed content sent, if a browser ran them.
        self.executed = []
        attacker = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = attacker._pages.get(self.path)
                self.send_response(200 if page else 404)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write((page or "").encode())

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/report":
                    attacker._reports.put(json.loads(body))
                else:
                    attacker.executed.append(body.decode())
                self.send_response(204)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))

    def add_page(self, path, script, target):
        """`target`: what the script finds in its variable of that name, in addition to `home`, this server."""
        self._pages[path] = self.page(script, target)

    def page(self, script, target):
        target = json.dumps({**target, "home": f"http://127.0.0.1:{self.port}"})
        return PAGE.format(target=target, script=(PAGES / script).read_text())

    def report(self):
        """-> what the script of the opened page has reported: {attempt: what it has learned, "" for nothing}."""
        return self._reports.get(timeout=120)


class Rebinder(Server):
    """Where a rebound name leads: at first to the attacker, who serves `page` at /attack, then to the registry. The
    browser sees one host and one port."""

    def __init__(self, page, registry_port):
        answer = page.encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(answer)}\r\nConnection: close\r\n\r\n"

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                if self.request.recv(12, socket.MSG_PEEK | socket.MSG_WAITALL) == b"GET /attack ":
                    self.request.recv(65536)
                    self.request.sendall(head.encode() + answer)
                    return
                with socket.create_connection(("127.0.0.1", registry_port)) as registry:
                    back = threading.Thread(target=copy, args=(registry, self.request), daemon=True)
                    back.start()
                    copy(self.request, registry)
                    back.join()

        super().__init__(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler))


def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # One side has gone.


class WithoutDefence(Server):
    """A registry as it would be without its defence against browsers: what such a registry does not look at goes, and
    the fields of its responses that defend it, and an octet stream is a page."""

    def __init__(self, registry_port):
        class Handler(http.server.BaseHTTPRequestHandler):
            def forward(self):
                length = int(self.headers.get("Content-Length", 0))
                fields = {name: value for name, value in self.headers.items() if name in ("Content-Type", "Accept")}
                if self.path.startswith("/entrepot/"):
                    fields["Content-Type"] = "application/json"
                connection = http.client.HTTPConnection("127.0.0.1", registry_port)
                connection.request(self.command, self.path, self.rfile.read(length), fields)
                answer = connection.getresponse()
                body = answer.read()
                self.send_response(answer.status)
                kind = answer.headers.get("Content-Type", "")
                if kind != "application/octet-stream":
                    self.send_header("Content-Type", kind)
                elif b"<html>" in body:
                    self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", len(body))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = forward

            def log_message(self, *_):
                pass

        super().__init__(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))

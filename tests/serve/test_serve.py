"""scripts/serve as a user runs it, and the example configurations."""

import re
import signal
import socket
import subprocess
import time

import pytest

from fixtures import http
from fixtures.accounts import PASSWORDS, Client, write_accounts
from fixtures.ports import free_port
from fixtures.process import Process, answers
from fixtures.registry import PROGRAMS, ROOT

pytestmark = pytest.mark.alone

SERVE = ROOT / "scripts" / "serve"


@pytest.fixture
def serve():
    """serve(options...): starts it, waits for its last line; -> (child, what it printed)."""
    children = []

    def serve(*options):
        child = subprocess.Popen([SERVE, *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        children.append(child)
        printed = []
        for line in child.stdout:
            printed.append(line)
            if line.startswith("Ctrl-C"):
                break
        assert child.poll() is None, "".join(printed)
        return child, "".join(printed)

    yield serve
    for child in children:
        if child.poll() is None:
            child.terminate()
            child.wait(60)


def listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def push_blob(url):
    body = b"hello"
    digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    answer = http.request("POST", f"{url}/v2/first/blobs/uploads/?digest={digest}", body=body)
    assert answer.status == 201, answer
    return digest


@pytest.mark.parametrize("split", [False, True], ids=["standalone", "split"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_within_three_seconds_and_ends_all_it_started(serve, tmp_path, split, number):
    port = free_port()
    options = ["--port", port, "--data", tmp_path / "data with 'quotes\" and spaces"] + (["--split"] if split else [])
    start = time.monotonic()
    child, printed = serve(*options)
    assert time.monotonic() - start < 3, printed
    url = f"http://127.0.0.1:{port}"
    digest = push_blob(url)
    ports = [int(found) for found in re.findall(r"(?:localhost|127\.0\.0\.1):(\d+)", printed)]
    assert all(listening(each) for each in ports)

    child.send_signal(number)
    assert child.wait(30) == 0
    assert not any(listening(each) for each in ports)

    child, _ = serve(*options)
    assert http.request("GET", f"{url}/v2/first/blobs/{digest}").body == b"hello"


def test_one_process_ending_ends_it_all(serve, tmp_path):
    port = free_port()
    child, printed = serve("--split", "--port", port, "--data", tmp_path / "data")
    victim = subprocess.run(
        ["pgrep", "-f", f"entrepot-manifest --config {tmp_path}"], capture_output=True, text=True, check=True
    )
    subprocess.run(["kill", "-9", *victim.stdout.split()], check=True)
    assert child.wait(30) == 1
    assert "entrepot-manifest ended" in child.stdout.read()
    assert not listening(port)


@pytest.mark.parametrize(
    "options, message",
    [
        (["--colour", "red"], "unknown option --colour"),
        (["--port"], "--port needs a value"),
        (["--port", "web"], "--port web is not a port"),
        (["--port", "70000"], "--port 70000 is not a port"),
        (["--config", "/nowhere.yaml"], "/nowhere.yaml cannot be read"),
        (["--config", "x", "--split"], "goes with no other option"),
        (["--accounts", "x"], "without --policy FILE"),
        (["--policy", "x"], "give --accounts FILE too"),
        (["--accounts", "/nowhere", "--policy", "examples/policy.yaml"], "/nowhere cannot be read"),
        (["--accounts", "/etc", "--policy", "examples/policy.yaml"], "/etc cannot be read"),
    ],
)
def test_wrong_options(options, message):
    done = subprocess.run([SERVE, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize("split", [False, True], ids=["standalone", "split"])
def test_accounts(serve, tmp_path, split):
    accounts = tmp_path / "my accounts"
    write_accounts(accounts, PASSWORDS)
    port = free_port()
    options = ["--port", port, "--data", tmp_path / "the data", "--accounts", accounts,
               "--policy", ROOT / "examples" / "policy.yaml", *(["--split"] if split else [])]  # fmt: skip
    child, printed = serve(*options)
    assert f"docker login localhost:{port}" in printed
    registry = _Served(f"http://127.0.0.1:{port}")
    assert registry.request("GET", "/v2/").status == 401
    assert Client(registry, "ci", "wrong").ask().status == 401
    assert Client(registry, "ci").request("GET", "/v2/").status == 200
    keys = list((tmp_path / "the data" / "tls").glob("*.key"))
    assert bool(keys) == split
    assert all(key.stat().st_mode & 0o777 == 0o600 for key in keys)
    made = {key: key.read_text() for key in keys}

    child.terminate()
    assert child.wait(30) == 0
    serve(*options)
    assert Client(registry, "ci").request("GET", "/v2/").status == 200
    assert made == {key: key.read_text() for key in keys}, "the certificates are made once"


class _Served:
    def __init__(self, url):
        self.url = url

    def request(self, method, path, **options):
        return http.request(method, self.url + path, **options)


def test_without_accounts_it_says_how_to_turn_them_on(serve, tmp_path):
    _, printed = serve("--port", free_port(), "--data", tmp_path / "data")
    assert "hash-password admin >>accounts" in printed
    assert "--accounts accounts --policy examples/policy.yaml" in printed


@pytest.mark.parametrize("split", [False, True], ids=["standalone", "split"])
def test_accounts_that_cannot_be_used(tmp_path, split):
    accounts = tmp_path / "accounts"
    accounts.write_text("admin:plain text\n")
    options = ["--port", str(free_port()), "--data", tmp_path / "data", "--accounts", accounts,
               "--policy", ROOT / "examples" / "policy.yaml", *(["--split"] if split else [])]  # fmt: skip
    done = subprocess.run([SERVE, *options], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert str(accounts) in done.stderr and "plain text" not in done.stderr


def test_port_in_use(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(
            [SERVE, "--port", str(port), "--data", tmp_path], capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stderr


def test_help():
    assert "--split" in subprocess.run([SERVE, "--help"], capture_output=True, text=True, check=True).stdout


def start_example(name, program, ports, directory):
    """With free ports in place of those of the file, the same for each process."""
    text = (ROOT / "examples" / f"{name}.yaml").read_text()
    for port in re.findall(r"\b500\d\b", text):
        ports.setdefault(port, str(free_port()))
    text = re.sub(r"\b500\d\b", lambda found: ports[found[0]], text).replace("data/", f"{directory}/")
    file = directory / f"{name}.yaml"
    file.write_text(text)
    operator = re.search(r"operator:\s+address: \S+\s+port: (\d+)", text)[1]
    ready = answers(f"http://127.0.0.1:{operator}/readyz")
    process = Process(name, [PROGRAMS / program, "--config", file], ready, directory / f"{name}.log")
    process.launch()
    return process


@pytest.mark.parametrize(
    "names", [["standalone"], ["blob", "manifest", "gateway"], ["auth"]], ids=["standalone", "split", "auth"]
)
def test_examples(names, tmp_path):
    ports = {}
    write_accounts(tmp_path / "accounts", PASSWORDS)
    programs = {"standalone": "entrepot"}
    started = [start_example(name, programs.get(name, f"entrepot-{name}"), ports, tmp_path) for name in names]
    try:
        for process in started:
            process.wait_ready()
        if "5000" in ports:
            push_blob(f"http://127.0.0.1:{ports['5000']}")
    finally:
        codes = [process.terminate() for process in reversed(started) if process.alive()]
    assert codes == [0] * len(names)

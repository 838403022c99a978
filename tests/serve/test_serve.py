"""scripts/serve as a user runs it, and the example configurations."""

import re
import signal
import socket
import subprocess
import time

import pytest

from fixtures import http
from fixtures.ports import free_port
from fixtures.process import Process, answers
from fixtures.registry import PROGRAMS, ROOT

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
    ],
)
def test_wrong_options(options, message):
    done = subprocess.run([SERVE, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert message in done.stderr


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


@pytest.mark.parametrize("names", [["standalone"], ["blob", "manifest", "gateway"]], ids=["standalone", "split"])
def test_examples(names, tmp_path):
    ports = {}
    programs = {"standalone": "entrepot"}
    started = [start_example(name, programs.get(name, f"entrepot-{name}"), ports, tmp_path) for name in names]
    try:
        for process in started:
            process.wait_ready()
        push_blob(f"http://127.0.0.1:{ports['5000']}")
    finally:
        codes = [process.terminate() for process in reversed(started) if process.alive()]
    assert codes == [0] * len(names)

"""scripts/serve serves the registry with each of its options, and the example configurations start."""

import re
import signal
import socket
import ssl
import subprocess
import time
import urllib.request

import pytest

from fixtures import http
from fixtures.accounts import PASSWORDS, Client, write_accounts
from fixtures.polling import wait_for
from fixtures.ports import free_port
from fixtures.process import Process, answers
from fixtures.registry import PROGRAMS, ROOT

pytestmark = pytest.mark.alone

SERVE = ROOT / "scripts" / "serve"


@pytest.fixture
def serve():
    """serve(options...): runs scripts/serve and reads its output up to "Press Ctrl-C" -> (child, the output)."""
    children = []

    def serve(*options):
        child = subprocess.Popen([SERVE, *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        children.append(child)
        printed = []
        for line in child.stdout:
            printed.append(line)
            if line.startswith("Press Ctrl-C"):
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
def test_serves_within_three_seconds_and_a_signal_ends_all_processes(serve, tmp_path, split, number):
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


def test_end_of_one_process_ends_all_others(serve, tmp_path):
    port = free_port()
    child, printed = serve("--split", "--port", port, "--data", tmp_path / "data")
    victim = subprocess.run(
        ["pgrep", "-f", f"entrepot-manifest --config {tmp_path}"], capture_output=True, text=True, check=True
    )
    subprocess.run(["kill", "-9", *victim.stdout.split()], check=True)
    assert child.wait(30) == 1
    assert "entrepot-manifest ended unexpectedly" in child.stdout.read()
    assert not listening(port)


def test_cluster_serves_at_two_ports_and_keeps_its_data(serve, tmp_path):
    port = free_port()
    options = ["--cluster", "--port", port, "--data", tmp_path / "data with 'quotes\" and spaces"]
    child, printed = serve(*options)
    digest = push_blob(f"http://127.0.0.1:{port}")
    path = f"/v2/first/blobs/{digest}"
    assert http.request("GET", f"http://127.0.0.1:{port + 1}{path}").body == b"hello"
    ports = [int(found) for found in re.findall(r"(?:localhost|127\.0\.0\.1):(\d+)", printed)]
    assert port + 1 in ports and all(listening(each) for each in ports)
    passwords = list((options[-1] / "cluster").glob("*.secret")) + list((options[-1] / "cluster").glob("*.password"))
    assert len(passwords) == 2 and all(file.stat().st_mode & 0o777 == 0o600 for file in passwords)

    child.terminate()
    assert child.wait(60) == 0
    assert not any(listening(each) for each in ports)

    serve(*options)
    assert http.request("GET", f"http://127.0.0.1:{port + 1}{path}").body == b"hello"


def test_cluster_starts_a_process_again_that_ended(serve, tmp_path):
    port = free_port()
    child, _ = serve("--cluster", "--port", port, "--data", tmp_path / "data")
    victim = subprocess.run(
        ["pgrep", "-f", "--", f"--config {tmp_path}.*/entrepot-manifest.yaml"], capture_output=True, text=True, check=True
    )
    subprocess.run(["kill", "-9", *victim.stdout.split()], check=True)
    assert "entrepot-manifest ended unexpectedly and is started again" in child.stdout.readline()
    wait_for(lambda: http.request("GET", f"http://127.0.0.1:{port}/v2/_catalog"), lambda answer: answer.status == 200)
    child.terminate()
    assert child.wait(60) == 0


@pytest.mark.parametrize(
    "options, message",
    [
        (["--colour", "red"], "unknown option --colour"),
        (["--port"], "--port needs a value"),
        (["--port", "web"], "invalid port web"),
        (["--port", "70000"], "invalid port 70000"),
        (["--config", "/nowhere.yaml"], "cannot read /nowhere.yaml"),
        (["--config", "x", "--split"], "cannot be combined with other options"),
        (["--config", "x", "--cluster"], "cannot be combined with other options"),
        (["--split", "--cluster"], "--split cannot be combined with --cluster"),
        (["--accounts", "x"], "--accounts FILE needs --policy FILE"),
        (["--policy", "x"], "--policy FILE needs --accounts FILE"),
        (["--accounts", "/nowhere", "--policy", "examples/policy.yaml"], "cannot read /nowhere"),
        (["--accounts", "/etc", "--policy", "examples/policy.yaml"], "cannot read /etc"),
        (["--mirror", "Docker.io"], "invalid --mirror Docker.io"),
        (["--mirror", "lan=registry.lan"], "the URL must begin with https:// or http://"),
        (["--mirror", "docker.io", "--upstreams", "examples/upstreams.yaml"], "cannot be combined with --mirror"),
        (["--mirror", "docker.io", "--config", "examples/standalone.yaml"], "cannot be combined with other options"),
    ],
)
def test_invalid_options_are_refused(options, message):
    done = subprocess.run([SERVE, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize("split", [False, True], ids=["standalone", "split"])
def test_with_accounts_it_needs_a_login_and_keeps_its_certificates(serve, tmp_path, split):
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
    contents = {key: key.read_text() for key in keys}

    child.terminate()
    assert child.wait(30) == 0
    serve(*options)
    assert Client(registry, "ci").request("GET", "/v2/").status == 200
    assert contents == {key: key.read_text() for key in keys}, "a second start keeps the certificates"


@pytest.mark.parametrize("secured", [False, True], ids=["open", "accounts"])
@pytest.mark.parametrize("split", [False, True], ids=["standalone", "split"])
def test_mirrors_another_registry(serve, tmp_path, split, secured):
    upstream_port = free_port()
    serve("--port", upstream_port, "--data", tmp_path / "upstream")
    digest = push_blob(f"http://127.0.0.1:{upstream_port}")
    port = free_port()
    options = ["--port", port, "--data", tmp_path / "cache", "--mirror", "docker.io",
               "--mirror", f"lan=http://127.0.0.1:{upstream_port}", *(["--split"] if split else [])]  # fmt: skip
    if secured:
        accounts = tmp_path / "accounts"
        write_accounts(accounts, PASSWORDS)
        options += ["--accounts", accounts, "--policy", ROOT / "examples" / "policy.yaml"]
    child, printed = serve(*options)
    assert f"docker pull localhost:{port}/docker.io/IMAGE" in printed
    path = f"/v2/lan/first/blobs/{digest}"
    if secured:
        registry = _Served(f"http://127.0.0.1:{port}")
        assert registry.request("GET", path).status == 401
        assert Client(registry, "admin").request("GET", path, "repository:lan/first:pull").body == b"hello"
    else:
        assert http.request("GET", f"http://127.0.0.1:{port}{path}").body == b"hello"
        assert http.request("PUT", f"http://127.0.0.1:{port}/v2/lan/first/manifests/x", body=b"{}").status == 405
    child.terminate()
    assert child.wait(30) == 0


class _Served:
    def __init__(self, url):
        self.url = url

    def request(self, method, path, **options):
        return http.request(method, self.url + path, **options)


def test_without_accounts_it_shows_how_to_add_them(serve, tmp_path):
    _, printed = serve("--port", free_port(), "--data", tmp_path / "data")
    assert "hash-password admin --file accounts" in printed
    assert "--accounts accounts --policy examples/policy.yaml" in printed


@pytest.mark.parametrize("split", [False, True], ids=["standalone", "split"])
def test_invalid_accounts_file_prevents_the_start(tmp_path, split):
    accounts = tmp_path / "accounts"
    accounts.write_text("admin:plain text\n")
    options = ["--port", str(free_port()), "--data", tmp_path / "data", "--accounts", accounts,
               "--policy", ROOT / "examples" / "policy.yaml", *(["--split"] if split else [])]  # fmt: skip
    done = subprocess.run([SERVE, *options], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert str(accounts) in done.stderr and "plain text" not in done.stderr


def test_port_in_use_is_reported(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(
            [SERVE, "--port", str(port), "--data", tmp_path], capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stderr


@pytest.mark.parametrize("made", [False, True], ids=["new", "empty"])
def test_port_in_use_leaves_nothing_behind(tmp_path, made):
    data = tmp_path / "of one" / "registry"
    if made:
        data.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        done = subprocess.run([SERVE, "--port", str(port), "--data", data], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_second_start_on_the_same_data_and_port_names_the_data(serve, tmp_path):
    options = ["--port", str(free_port()), "--data", str(tmp_path / "data")]
    serve(*options)
    done = subprocess.run([SERVE, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"another scripts/serve uses the data directory {tmp_path / 'data'}" in done.stderr


def test_data_directory_that_cannot_be_made_is_reported(tmp_path):
    (tmp_path / "file").touch()
    data = tmp_path / "file" / "data"
    done = subprocess.run(
        [SERVE, "--port", str(free_port()), "--data", data], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"cannot write to the data directory {data}" in done.stderr


def test_port_that_is_bound_without_listening_is_reported(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        done = subprocess.run(
            [SERVE, "--port", str(port), "--data", tmp_path], capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stderr


def test_second_start_on_the_same_data_changes_nothing(serve, tmp_path):
    data = tmp_path / "data"
    serve("--port", free_port(), "--data", data)
    before = {file: file.read_bytes() for file in (data / "config").iterdir()}
    done = subprocess.run([SERVE, "--port", str(free_port()), "--split", "--data", data], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 1
    assert f"another scripts/serve uses the data directory {data}" in done.stderr
    assert before == {file: file.read_bytes() for file in (data / "config").iterdir()}
    assert not (data / "split").exists()


AROUND = "is the directory of one process; --data takes the directory around it"


@pytest.mark.parametrize(("made", "data", "expected"), [
    ("restored/kv/CURRENT", "restored", AROUND),
    ("restored/standalone/kv/CURRENT", "restored/standalone", "use --data {tmp}/restored\n"),
    ("a b/standalone/kv/CURRENT", "a b/standalone", "use --data {tmp}/a\\ b\n"),
    ("restored/split/manifest/kv/CURRENT", "restored/split/manifest", "use --split --data {tmp}/restored\n"),
    ("restored/nightly/kv/CURRENT", "restored", "but in {tmp}/restored they must have the name standalone"),
    ("restored/nightly/blobs/objects/00", "restored", "but in {tmp}/restored they must have the name standalone"),
    ("restored/nightly/manifest/kv/CURRENT", "restored", "but in {tmp}/restored they must have the name standalone"),
    ("restored/nightly/standalone/kv/CURRENT", "restored", "use --data {tmp}/restored/nightly."),
    ("restored/nightly/split/manifest/kv/CURRENT", "restored", "use --data {tmp}/restored/nightly."),
])  # fmt: skip
def test_data_that_was_restored_one_level_off_is_noticed(tmp_path, made, data, expected):
    (tmp_path / made).parent.mkdir(parents=True)
    (tmp_path / made).touch()
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run([SERVE, "--port", str(free_port()), "--data", tmp_path / data], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 1
    assert expected.format(tmp=tmp_path) in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("split", [False, True], ids=["standalone", "split"])
def test_tls_serves_with_a_certificate_of_the_ca_that_it_shows(serve, tmp_path, split):
    port = free_port()
    _, printed = serve("--tls", "--port", port, "--data", tmp_path / "the data", *(["--split"] if split else []))
    ca = tmp_path / "the data" / "public-tls" / "ca.crt"
    assert f"https://localhost:{port}" in printed and str(ca) in printed
    context = ssl.create_default_context(cafile=ca)
    for host in ("localhost", "127.0.0.1"):
        with urllib.request.urlopen(f"https://{host}:{port}/v2/", context=context) as answer:
            assert answer.status == 200
    keys = list((tmp_path / "the data" / "public-tls").glob("*.key"))
    assert keys and all(key.stat().st_mode & 0o777 == 0o600 for key in keys)


def test_help_shows_the_options():
    assert "--split" in subprocess.run([SERVE, "--help"], capture_output=True, text=True, check=True).stdout


def start_example(name, program, ports, directory):
    """Starts an example with free ports in place of its own. `ports`: {port of the examples: free port}."""
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
def test_example_configurations_start_and_drain(names, tmp_path):
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

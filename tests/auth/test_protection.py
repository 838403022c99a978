"""Against guessing, listening and leaking."""

import concurrent.futures
import json
import socket
import ssl
import time

import pytest

from auth.content import challenge_of, push_image
from fixtures import http
from fixtures.accounts import PASSWORDS, Client, basic, htpasswd_line
from fixtures.certificates import Authority
from fixtures.ports import free_port
from fixtures.process import Process, answers
from fixtures.registry import PROGRAMS

pytestmark = pytest.mark.alone


def test_the_audit_log_says_who_did_what_and_no_log_has_a_secret(make_secured_registry):
    registry = make_secured_registry(config={"log": {"level": "debug"}})
    ci, admin = Client(registry, "ci"), Client(registry, "admin")
    push_image(ci, "driftwood/web", "v1")
    Client(registry, "ci", "a wrong password").ask()
    Client(registry).ask("repository:driftwood/web:pull")
    secret = admin.administer("createRobot", name="r", scopes=[{"repositories": ["a/b"], "actions": ["pull"]}])
    secret = secret.json()["robotSecret"]["secret"]
    Client(registry, "robot+r", secret).ask("repository:a/b:pull")
    admin.administer("createUser", name="alice", password="a secret of hers")
    refresh = ci.ask(offline_token="true").json()["refresh_token"]
    ci.post(grant_type="refresh_token", refresh_token=refresh)
    token = ci.token("repository:driftwood/web:pull")
    ci.request("GET", "/v2/driftwood/web/tags/list", token=token)
    registry.request("GET", f"/v2/?access_token={token}")

    lines = [json.loads(line) for line in registry.audit_file.read_text().splitlines()]
    text = registry.audit_file.read_text()
    assert lines
    for wanted in ("ci", "admin", "robot+r", "127.0.0.1", "driftwood/web", "alice"):
        assert wanted in text, wanted
    assert registry.audit_file.stat().st_mode & 0o077 == 0, "the audit log is nobody else's to read"

    logs = text + "".join(process.log.read_text() for process in registry.processes.values())
    hashes = [line.split(":", 1)[1] for line in registry.accounts_file.read_text().splitlines()]
    passwords = [PASSWORDS["ci"], PASSWORDS["admin"], "a wrong password", "a secret of hers"]
    basics = [basic(name, PASSWORDS[name]).split()[1] for name in ("ci", "admin")]
    for hidden in (*passwords, *basics, *hashes, secret, refresh, token, token.split(".")[2]):
        assert hidden not in logs, f"a secret is in a log: {hidden[:4]}..."


def test_wrong_passwords_take_as_long_whoever_they_are_for(make_secured_registry):
    registry = make_secured_registry()
    # A cost at which hashing is most of the time.
    registry.accounts_file.write_text("".join(htpasswd_line(name, "costly", cost=10) for name in ("ci", "admin")))
    deadline = time.monotonic() + 10
    while Client(registry, "ci", "costly").ask().status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)

    def seconds(name, number):
        start = time.perf_counter()
        assert Client(registry, name, f"wrong {number}").ask().status == 401
        return time.perf_counter() - start

    def about_the_same(*names):
        # In turn, and the fastest of each: whatever else the machine does only ever adds.
        times = [[seconds(name, number) for name in names] for number in range(9)]
        one, other = (min(column) for column in zip(*times, strict=True))
        return one / 2 < other < one * 2

    robot = {"name": "there", "scopes": [{"repositories": ["a/b"], "actions": ["pull"]}]}
    assert Client(registry, "admin", "costly").administer("createRobot", **robot).status == 200
    assert about_the_same("ci", "never-was")
    # The secret of a robot, which nobody can guess, is hashed at less cost than a password.
    assert about_the_same("robot+there", "robot+never-was")


def test_guessing_is_slowed_and_then_forgiven(make_secured_registry):
    registry = make_secured_registry(authentication={"failed_attempts_max": 5, "failed_attempt_interval": "2s"})
    guesses = [Client(registry, "ci", f"guess {number}").ask() for number in range(12)]
    statuses = [answer.status for answer in guesses]
    assert 401 in statuses and 429 in statuses
    first = statuses.index(429)
    assert first >= 5 and set(statuses[:first]) == {401}
    assert int(guesses[first].headers["Retry-After"]) >= 1
    assert guesses[first].json()["errors"][0]["code"] == "TOOMANYREQUESTS"
    deadline = time.monotonic() + 30
    while Client(registry, "ci").ask().status != 200:
        assert time.monotonic() < deadline, "the right password must be good again soon"
        time.sleep(0.5)


def test_many_right_logins_at_once_all_succeed(secured_registry):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: Client(secured_registry, "ci").ask().status, range(64)))
    assert set(statuses) <= {200, 429} and statuses.count(200) >= 48, statuses


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_is_1_2_or_later(secured_registry):
    def connects(version):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(secured_registry.ca)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", secured_registry.port)) as plain:
            try:
                with context.wrap_socket(plain, server_hostname="localhost"):
                    return True
            except ssl.SSLError:
                return False

    assert connects(ssl.TLSVersion.TLSv1_3) and connects(ssl.TLSVersion.TLSv1_2)
    assert not connects(ssl.TLSVersion.TLSv1_1)


# ----------------------------------------------------------------------------------------------------------------------
# The processes among themselves.


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def gateway_beside(registry, name, tls):
    """Another gateway in front of the same services, with the PeerTls of `tls(service)`."""
    config = json.loads((registry.data / "gateway.yaml").read_text())
    operator, port = free_port(), free_port()
    config["listen"]["port"], config["operator"] = port, {"port": operator}
    for service in ("blob", "manifest", "auth"):
        field = config[f"{service}_service"]
        field.pop("tls")
        if tls(service):
            field["tls"] = tls(service)
    file = registry.data / f"{name}.yaml"
    file.write_text(json.dumps(config))
    url = f"http://127.0.0.1:{operator}"
    process = Process(name, [PROGRAMS / "entrepot-gateway", "--config", file], lambda: listens(port),
                      registry.data / f"{name}.log")  # fmt: skip
    process.launch()
    process.wait_ready()
    return process, url, f"https://127.0.0.1:{port}"


@pytest.mark.modes("split")
@pytest.mark.parametrize("kind", ["other-name", "other-ca", "no-certificate"])
def test_a_process_serves_only_the_peers_of_its_list(secured_registry, tmp_path, kind):
    registry = secured_registry
    strangers = Authority(tmp_path / "strangers", "strangers")

    def tls(service):
        if kind == "no-certificate":
            return None
        tls = registry.peers.peer_tls("intruder", [service])
        if kind == "other-ca":
            certificate, key = strangers.issue("gateway", "DNS:gateway")
            tls.update(certificate_file=str(certificate), private_key_file=str(key))
        return tls

    process, operator, public = gateway_beside(registry, f"gateway-{kind}", tls)
    try:
        assert http.request("GET", f"{operator}/readyz").status == 503
        answer = http.request("GET", f"{public}/token?service=entrepot", ca=registry.ca)
        assert answer.status >= 500, answer
        answer = http.request("GET", f"{public}/v2/public/x/tags/list", ca=registry.ca)
        assert answer.status in (401, 500, 503) and answer.status != 200
        if kind == "other-name":
            assert "intruder" in http.request("GET", f"{operator}/readyz").body.decode()
            for service in ("blob", "auth"):
                assert '"names":"intruder"' in registry.processes[service].log.read_text(), "it says whom it refused"
    finally:
        process.terminate()


@pytest.mark.modes("split")
def test_the_right_peer_beside_it_is_served(secured_registry):
    process, operator, public = gateway_beside(
        secured_registry, "gateway-right", lambda service: secured_registry.peers.peer_tls("gateway", [service])
    )
    try:
        deadline = time.monotonic() + 10
        while http.request("GET", f"{operator}/readyz").status != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        answer = http.request("GET", f"{public}/v2/", ca=secured_registry.ca)
        assert challenge_of(answer)["service"] == "entrepot"
    finally:
        process.terminate()


# ----------------------------------------------------------------------------------------------------------------------
# A start that would be unsafe.


def start_standalone(tmp_path, listen):
    file = tmp_path / "entrepot.yaml"
    port, operator = free_port(), free_port()
    file.write_text(json.dumps({
        "listen": {"port": port, **listen}, "operator": {"port": operator}, "data_directory": str(tmp_path / "store")
    }))  # fmt: skip
    ready = answers(f"http://127.0.0.1:{operator}/readyz")
    process = Process("entrepot", [PROGRAMS / "entrepot", "--config", file], ready, tmp_path / "log")
    process.launch()
    return process


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_other_machines_are_not_served_without_authentication(tmp_path, address):
    process = start_standalone(tmp_path, {"address": address})
    assert process._child.wait(20) == 2
    assert "there is no authentication" in process.log_tail()
    assert "allow_unauthenticated" in process.log_tail()


def test_unless_that_is_asked_for_and_then_it_is_a_warning(tmp_path):
    process = start_standalone(tmp_path, {"address": "0.0.0.0", "allow_unauthenticated": True})
    process.wait_ready()
    assert process.terminate() == 0
    warnings = [line for line in process.log.read_text().splitlines() if '"level":"warning"' in line]
    assert any("may push, pull and delete" in line for line in warnings)

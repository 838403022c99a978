"""Logs contain no secrets, guessed passwords do not help, and insecure connections and configurations are refused."""

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
from fixtures.polling import wait_for
from fixtures.ports import free_port
from fixtures.process import Process, answers
from fixtures.registry import PROGRAMS

pytestmark = pytest.mark.alone


def test_audit_log_shows_callers_and_no_log_contains_a_secret(make_secured_registry):
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
    assert registry.audit_file.stat().st_mode & 0o077 == 0, "only the owner may read the audit log"

    logs = text + "".join(process.log.read_text() for process in registry.processes.values())
    hashes = [line.split(":", 1)[1] for line in registry.accounts_file.read_text().splitlines()]
    passwords = [PASSWORDS["ci"], PASSWORDS["admin"], "a wrong password", "a secret of hers"]
    basics = [basic(name, PASSWORDS[name]).split()[1] for name in ("ci", "admin")]
    for hidden in (*passwords, *basics, *hashes, secret, refresh, token, token.split(".")[2]):
        assert hidden not in logs, f"a log contains a secret: {hidden[:4]}..."


def test_wrong_password_takes_as_long_for_unknown_accounts(make_secured_registry):
    registry = make_secured_registry()
    # With this cost, hashing takes most of the time of a login.
    registry.accounts_file.write_text("".join(htpasswd_line(name, "costly", cost=10) for name in ("ci", "admin")))
    wait_for(lambda: Client(registry, "ci", "costly").ask().status == 200)

    def seconds(name, number):
        start = time.perf_counter()
        assert Client(registry, name, f"wrong {number}").ask().status == 401
        return time.perf_counter() - start

    def about_the_same(*names):
        # In turn, and the fastest of each: other programs on the machine can only add time.
        times = [[seconds(name, number) for name in names] for number in range(9)]
        one, other = (min(column) for column in zip(*times, strict=True))
        return one / 2 < other < one * 2

    robot = {"name": "there", "scopes": [{"repositories": ["a/b"], "actions": ["pull"]}]}
    assert Client(registry, "admin", "costly").administer("createRobot", **robot).status == 200
    assert about_the_same("ci", "never-was")
    # The secret of a robot is hashed at less cost than a password, since it cannot be guessed.
    assert about_the_same("robot+there", "robot+never-was")


def test_repeated_wrong_passwords_get_429_for_a_while(make_secured_registry):
    registry = make_secured_registry(authentication={"failed_attempts_max": 5, "failed_attempt_interval": "2s"})
    guesses = [Client(registry, "ci", f"guess {number}").ask() for number in range(12)]
    statuses = [answer.status for answer in guesses]
    assert 401 in statuses and 429 in statuses
    first = statuses.index(429)
    assert first >= 5 and set(statuses[:first]) == {401}
    assert int(guesses[first].headers["Retry-After"]) >= 1
    assert guesses[first].json()["errors"][0]["code"] == "TOOMANYREQUESTS"
    wait_for(lambda: Client(registry, "ci").ask().status == 200, seconds=30, pause=0.5)


def test_concurrent_logins_succeed_or_get_429(secured_registry):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: Client(secured_registry, "ci").ask().status, range(64)))
    assert set(statuses) <= {200, 429} and statuses.count(200) >= 48, statuses


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_below_1_2_is_refused(secured_registry):
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
# Mutual TLS between the processes.


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def gateway_beside(registry, name, tls):
    """Starts another gateway for the same services, with the PeerTls of `tls(service)`."""
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
def test_process_refuses_peers_that_are_not_in_its_list(secured_registry, tmp_path, kind):
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
        # A peer whose certificate is not accepted reaches no service; one with another name is refused by each.
        assert answer.status == (500 if kind == "other-name" else 503), answer
        if kind == "other-name":
            assert "intruder" in http.request("GET", f"{operator}/readyz").body.decode()
            for service in ("blob", "auth"):
                log = registry.processes[service].log.read_text()
                assert '"names":"intruder"' in log, "the log shows the refused peer"
    finally:
        process.terminate()


@pytest.mark.modes("split")
def test_second_gateway_with_a_listed_name_is_served(secured_registry):
    process, operator, public = gateway_beside(
        secured_registry, "gateway-right", lambda service: secured_registry.peers.peer_tls("gateway", [service])
    )
    try:
        wait_for(lambda: http.request("GET", f"{operator}/readyz"), lambda answer: answer.status == 200)
        answer = http.request("GET", f"{public}/v2/", ca=secured_registry.ca)
        assert challenge_of(answer)["service"] == "entrepot"
    finally:
        process.terminate()


# ----------------------------------------------------------------------------------------------------------------------
# Unsafe configurations.


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
def test_public_address_without_authentication_is_refused(tmp_path, address):
    process = start_standalone(tmp_path, {"address": address})
    assert process._child.wait(20) == 2
    assert "there is no authentication" in process.log_tail()
    assert "allow_unauthenticated" in process.log_tail()


def test_allow_unauthenticated_serves_a_public_address_with_a_warning(tmp_path):
    process = start_standalone(tmp_path, {"address": "0.0.0.0", "allow_unauthenticated": True})
    process.wait_ready()
    assert process.terminate() == 0
    warnings = [line for line in process.log.read_text().splitlines() if '"level":"warning"' in line]
    assert any("may push, pull and delete" in line for line in warnings)

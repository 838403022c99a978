"""entrepotctl against a registry that runs."""

import json
import os
import pty
import subprocess

import pytest

from auth.content import push_image
from fixtures.accounts import PASSWORDS, Client, htpasswd_line
from fixtures.polling import wait_for
from fixtures.registry import PROGRAMS

CTL = PROGRAMS / "entrepotctl"


@pytest.fixture
def ctl(secured_registry, tmp_path):
    """ctl(words..., code=0, input="") -> what it printed; of `account`."""

    def ctl(*words, code=0, account="admin", password=None, env=None, **options):
        environment = {
            "ENTREPOT_REGISTRY": secured_registry.url,
            "ENTREPOT_USERNAME": account,
            "ENTREPOT_PASSWORD": PASSWORDS[account] if password is None else password,
            **(env or {}),
        }
        argv = [CTL, "--ca-file", secured_registry.ca, *words]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=60,
                              start_new_session=True, **options)  # fmt: skip
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout if code in (0, 3) else done.stdout + done.stderr

    return ctl


def test_users(ctl, secured_registry):
    made = ctl("users", "create", "alice", "--new-password-file", "-", input="her password\n")
    assert made == "made the user alice\n"
    lines = {line.split()[0]: line for line in ctl("users", "list").splitlines()}
    assert "accounts file" in lines["ci"] and "registry" in lines["alice"]
    assert Client(secured_registry, "alice", "her password").ask().status == 200
    ctl("users", "set-password", "alice", "--new-password-file", "-", input="another one\n")
    assert Client(secured_registry, "alice", "another one").ask().status == 200
    refused = ctl("users", "create", "alice", "--new-password-file", "-", input="x y z 1 2 3\n", code=1)
    assert "alice" in refused and "409" in refused
    users = json.loads(ctl("users", "list", "--output", "json"))["users"]
    assert {user["name"]: user["fromFile"] for user in users}["alice"] is False
    ctl("users", "delete", "alice")
    assert "alice" not in ctl("users", "list")
    assert "404" in ctl("users", "delete", "alice", code=1)


def test_robots(ctl, secured_registry):
    made = ctl("robots", "create", "deploy", "--allow", "driftwood/**:pull", "--expires", "30d",
               "--description", "hosts")  # fmt: skip
    account, secret = (line.split()[1] for line in made.splitlines()[:2])
    assert account == "robot+deploy"
    robot = Client(secured_registry, account, secret)
    assert robot.ask("repository:driftwood/web:pull").status == 200
    listed = ctl("robots", "list")
    assert "driftwood/**:pull" in listed and "hosts" in listed and secret not in listed
    new = json.loads(ctl("robots", "rotate-secret", "deploy", "--output=json"))["secret"]
    assert robot.ask().status == 401
    assert Client(secured_registry, account, new).ask().status == 200
    ctl("robots", "delete", "deploy")
    assert Client(secured_registry, account, new).ask().status == 401
    assert "--allow" in ctl("robots", "create", "x", code=2)


def test_groups(ctl):
    ctl("groups", "add", "web", "nobody")
    assert "nobody" in ctl("groups", "list")
    ctl("groups", "remove", "web", "nobody")
    groups = json.loads(ctl("groups", "list", "--output", "json"))["groups"]
    assert not any("nobody" in group["members"] for group in groups)


POLICY = """\
groups:
  - name: night
rules:
  - subjects: [ci, prd, "group:night"]
    repositories: [driftwood/web]
    actions: [pull]
"""


def test_policy_check_needs_no_registry(tmp_path):
    def check(*words, code):
        argv = [CTL, "policy", "check", "policy.yaml", *words]
        # A port at which nothing listens.
        done = subprocess.run(argv, env={"ENTREPOT_REGISTRY": "http://127.0.0.1:1"}, cwd=tmp_path, capture_output=True,
                              text=True, check=False, timeout=60)  # fmt: skip
        assert (done.returncode, done.stderr) == (code, ""), f"{done.stdout}{done.stderr}"
        return done.stdout

    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    assert check(code=0).splitlines() == [
        'warning: policy.yaml:2: groups[0]: the group "night" has no members',
        "note: users were not looked up: there is no accounts file beside the policy; use --accounts-file or "
        "--ask-registry",
        "policy.yaml is a good policy",
    ]
    (tmp_path / "accounts").write_text(htpasswd_line("ci", "password"))
    warned = check(code=0)
    assert 'warning: policy.yaml:4: rules[0].subjects[1]: accounts has no user "prd"\n' in warned
    assert warned.endswith("policy.yaml is a good policy\n")
    assert check("--known", "prd", "--known", "group:night", code=0) == "policy.yaml is a good policy\n"

    policy.write_text(POLICY.replace("subjects", "subject").replace("[pull]", "[pull, fly]"))
    first, second, *others = check(code=1).splitlines()
    assert [line.split(" ")[0] for line in (first, second)] == ["policy.yaml:4:", "policy.yaml:6:"]
    assert others[0] == 'warning: policy.yaml:2: groups[0]: the group "night" has no members'
    checked = json.loads(check("--output", "json", code=1))
    assert checked["lines"] == [first, second]
    assert checked["warnings"] == [others[0].removeprefix("warning: ")]


def test_policy_check_by_the_registry(ctl, secured_registry, tmp_path):
    file = secured_registry.policy_file
    assert ctl("policy", "check", file, "--ask-registry") == f"{file} is a good policy\n"
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    warnings = [f'{policy}:2: groups[0]: the group "night" has no members',
                f'{policy}:4: rules[0].subjects[1]: the registry has no user "prd"']  # fmt: skip
    assert json.loads(ctl("policy", "check", policy, "--ask-registry", "--output=json"))["warnings"] == warnings
    ctl("users", "create", "prd", "--new-password-file", "-", input="password of prd\n")
    ctl("groups", "add", "night", "prd")
    assert ctl("policy", "check", policy, "--ask-registry") == f"{policy} is a good policy\n"
    ctl("users", "delete", "prd")
    policy.write_text("rules:\n  - name: x\n    subject: [ci]\n")
    assert f'{policy}:3: rules[0]: unknown field "subject"' in ctl("policy", "check", policy, "--ask-registry", code=1)
    assert "DENIED" in ctl("policy", "check", policy, "--ask-registry", account="ci", code=1)


def test_explain(ctl):
    allowed = ctl("explain", "ci", "push", "driftwood/web")
    assert allowed.startswith("allowed: ") and "ci publishes all of driftwood" in allowed
    assert "releases are final" in allowed
    assert ctl("explain", "prod", "push", "driftwood/web", code=3).startswith("denied: ")
    assert ctl("explain", "anonymous", "pull", "public/x").startswith("allowed: ")
    assert json.loads(ctl("explain", "admin", "delete", "x/y", "--output=json"))["allowed"] is True


def test_keys_and_tokens(ctl, secured_registry):
    before = json.loads(ctl("keys", "list", "--output", "json"))["keys"]
    ctl("keys", "rotate")
    after = json.loads(ctl("keys", "list", "--output", "json"))["keys"]
    assert len(after) == len(before) + 1
    assert "signs" in ctl("keys", "list") and "verifies until" in ctl("keys", "list")
    ci = Client(secured_registry, "ci")
    refresh = ci.ask(offline_token="true").json()["refresh_token"]
    ctl("tokens", "revoke", "ci")
    assert ci.post(grant_type="refresh_token", refresh_token=refresh).status == 401


def test_repositories(ctl, secured_registry):
    ci = Client(secured_registry, "ci")
    push_image(ci, "driftwood/going", "v1")
    assert ctl("repositories", "delete", "driftwood/going") == "deleted the repository driftwood/going\n"
    # Tokens contain their time of issue in whole seconds: a token of the same second as the deletion is refused too.
    scope = "repository:driftwood/going:pull"
    answer = wait_for(lambda: ci.request("GET", "/v2/driftwood/going/tags/list", scope), lambda each: each.status != 401)
    assert answer.status == 404, answer
    assert "404" in ctl("repositories", "delete", "driftwood/going", code=1)
    assert "400" in ctl("repositories", "delete", "NoName", code=1)


def test_refusals_say_what_the_server_said(ctl, secured_registry):
    refused = ctl("users", "list", account="ci", code=1)
    assert "the registry answered 40" in refused and "administ" in refused
    wrong = ctl("users", "list", password="Tr0ub4dor", code=1)
    assert "401 UNAUTHORIZED" in wrong and "Tr0ub4dor" not in wrong
    assert "no answer from" in ctl("users", "list", "--registry", "https://127.0.0.1:1", code=1)
    assert "certificate" in ctl("users", "list", "--ca-file", "/etc/ssl/certs/ca-certificates.crt", code=1).lower()
    assert "--username" in ctl("users", "list", env={"ENTREPOT_USERNAME": ""}, code=2)
    assert "ENTREPOT_PASSWORD" in ctl("users", "list", env={"ENTREPOT_PASSWORD": ""}, code=2)


def test_password_files(ctl, tmp_path):
    file = tmp_path / "password"
    file.write_text(PASSWORDS["admin"] + "\n")
    assert "ci" in ctl("users", "list", "--password-file", file, env={"ENTREPOT_PASSWORD": ""})
    file.write_text("\n")
    assert "is empty" in ctl("users", "list", "--password-file", file, code=2)
    assert "cannot read" in ctl("users", "list", "--password-file", tmp_path / "none", code=2)


def test_a_registry_without_accounts(registry, ctl):
    assert "runs without accounts" in ctl("users", "list", "--registry", registry.url, code=1)


@pytest.mark.timeout(60)
def test_a_prompt_shows_nothing_of_what_is_typed(secured_registry):
    pid, terminal = pty.fork()
    if pid == 0:
        environment = {"ENTREPOT_REGISTRY": secured_registry.url, "ENTREPOT_USERNAME": "admin"}
        os.execve(CTL, [str(CTL), "--ca-file", str(secured_registry.ca), "users", "list"], environment)
    shown = b""
    while b"Password of admin" not in shown:
        shown += os.read(terminal, 1000)
    os.write(terminal, PASSWORDS["admin"].encode() + b"\n")
    try:
        while chunk := os.read(terminal, 1000):
            shown += chunk
    except OSError:
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"accounts file" in shown
    assert PASSWORDS["admin"].encode() not in shown


@pytest.mark.modes("standalone")
def test_hash_password_needs_no_registry(make_secured_registry, tmp_path):
    line = subprocess.run([CTL, "hash-password", "admin", "--new-password-file", "-"], input="my own\n",
                          capture_output=True, text=True, check=True).stdout  # fmt: skip
    assert line.startswith("admin:$2") and line.count("\n") == 1
    registry = make_secured_registry(passwords={})
    registry.accounts_file.write_text(line)
    registry.restart()
    assert Client(registry, "admin", "my own").ask().status == 200


def test_help_has_usage_options_and_examples():
    def help_of(*words):
        return subprocess.run([CTL, *words], capture_output=True, text=True, check=True).stdout

    assert "entrepotctl explain SUBJECT ACTION REPOSITORY" in help_of("--help")
    assert "Exit codes" in help_of("--help")
    assert "entrepotctl robots rotate-secret NAME" in help_of("robots")
    assert "robot+NAME" in help_of("robots", "create", "--help")

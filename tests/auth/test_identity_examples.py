"""The examples of docs/identity-tokens.md: the policies are those of the page, the commands are those of the workflow
and the job, and the tokens have the claims that GitHub and Kubernetes document."""

import base64
import contextlib
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import time
from urllib.parse import parse_qs, urlparse

import pytest
import yaml

from docs import markdown
from fixtures.accounts import Client, claims_of
from fixtures.registry import PROGRAMS, ROOT

AUDIENCE = "registry.example.com"
TOKEN_FILE = "/var/run/secrets/registry/token"


def blocks(language):
    return [block for name, block in markdown.split_fences((ROOT / "docs" / "identity-tokens.md").read_text())[1]
            if name == language]  # fmt: skip


def block(language, part):
    found = [text for text in blocks(language) if part in text]
    assert len(found) == 1, f"{len(found)} blocks contain {part}"
    return found[0]


GITHUB_POLICY = block("yaml", "name: github")
CLUSTER_POLICY = block("yaml", "name: cluster")
WORKFLOW = yaml.safe_load(block("yaml", ".github/workflows"))
ACCOUNT, JOB = yaml.safe_load_all(block("yaml", "kind: Job"))
DOCKER_CONFIG = block("sh", "DOCKER_CONFIG")
TRY = block("sh", "curl")


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*argv, **options):
    return subprocess.run(["openssl", *map(str, argv)], capture_output=True, check=True, **options).stdout


class Provider:
    """Signs tokens by RS256, as GitHub and Kubernetes do."""

    def __init__(self, directory, issuer):
        self.issuer = issuer
        self._key = directory / "provider.pem"
        openssl("genrsa", "-out", self._key, "2048")
        modulus = openssl("rsa", "-in", self._key, "-noout", "-modulus").decode().strip().partition("=")[2]
        key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k1", "e": "AQAB"}
        # The other two are as in GitHub's key set.
        key |= {"n": encode(bytes.fromhex(modulus)), "x5c": ["MIIDKzCCAhOgAwIBAgIUDnwm6eRIqGFA3o/P1oBrChvx/nowDQYJKoZIhvcNAQELBQAw"], "x5t": "rt"}
        self.key_set = directory / "keys.json"
        self.key_set.write_text(json.dumps({"keys": [key]}))

    def sign(self, claims):
        header = {"typ": "JWT", "alg": "RS256", "x5t": "rt", "kid": "k1"}
        signed = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{encode(openssl('dgst', '-sha256', '-sign', self._key, input=signed.encode()))}"

    def github(self, audience=AUDIENCE, **changes):
        """https://docs.github.com/en/actions/concepts/security/openid-connect"""
        now = int(time.time())
        claims = {
            "jti": "example-id",
            "sub": "repo:octo-org/octo-repo:ref:refs/heads/main",
            "aud": audience,
            "ref": "refs/heads/main",
            "sha": "c9be7bcd1c1e4bb9e1a0b3a8d5ac4f7b05fb9a3d",
            "repository": "octo-org/octo-repo",
            "repository_owner": "octo-org",
            "actor_id": "12",
            "repository_visibility": "private",
            "repository_id": "74",
            "repository_owner_id": "65",
            "run_id": "11061122333",
            "run_number": "10",
            "run_attempt": "2",
            "runner_environment": "github-hosted",
            "actor": "octocat",
            "workflow": "publish",
            "head_ref": "",
            "base_ref": "",
            "event_name": "push",
            "ref_protected": "true",
            "ref_type": "branch",
            "workflow_ref": "octo-org/octo-repo/.github/workflows/publish.yaml@refs/heads/main",
            "workflow_sha": "c9be7bcd1c1e4bb9e1a0b3a8d5ac4f7b05fb9a3d",
            "job_workflow_ref": "octo-org/octo-repo/.github/workflows/publish.yaml@refs/heads/main",
            "job_workflow_sha": "c9be7bcd1c1e4bb9e1a0b3a8d5ac4f7b05fb9a3d",
            "iss": self.issuer,
            "nbf": now - 600,
            "exp": now + 300,
            "iat": now,
        }
        return self.sign({**claims, **changes})

    def kubernetes(self, account="builder", namespace="builds", audience=AUDIENCE, **changes):
        """https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/"""
        now = int(time.time())
        claims = {
            "aud": [audience],
            "exp": now + 3607,
            "iat": now,
            "iss": self.issuer,
            "jti": "ea28ed49-2e11-4280-9ec5-bc3d1d84661a",
            "kubernetes.io": {
                "namespace": namespace,
                "node": {"name": "node-1", "uid": "58456cb0-dd00-45ed-b797-5578fdceaced"},
                "pod": {"name": "publish-jv9gn", "uid": "778a530c-b3f4-47c0-9cd5-ab018fb64f33"},
                "serviceaccount": {"name": account, "uid": "a087d5a0-e1dd-43ec-93ac-f13d89cd13af"},
                "warnafter": now + 3600,
            },
            "nbf": now,
            "sub": f"system:serviceaccount:{namespace}:{account}",
        }
        return self.sign({**claims, **changes})


@pytest.fixture
def start(make_secured_registry, tmp_path):
    """start(policy) -> the registry with that policy of the page, and the provider. Only the place of the keys is
    another one."""

    def start(policy):
        provider = Provider(tmp_path, re.search(r"^    issuer: (\S+)$", policy, re.M)[1])
        keys = f"    key_set_file: {provider.key_set}"
        policy, replaced = re.subn(r"^    key_set_(url|file): .*$", lambda _: keys, policy, flags=re.M)
        assert replaced == 1
        return make_secured_registry(policy=policy), provider

    return start


def rights(registry, token, repository="driftwood/web"):
    """What the token may do, and its account."""
    issued = claims_of(Client(registry, "oidc", token).token(f"repository:{repository}:pull,push,delete"))
    return {action for entry in issued["access"] for action in entry["actions"]}, issued["sub"]


def refusal(registry, token):
    answer = Client(registry, "oidc", token).ask("repository:driftwood/web:pull")
    assert answer.status == 401, answer
    return answer.body.decode()


@pytest.fixture
def shell(tmp_path):
    """shell(script, registry, **environment): runs commands of the page, with podman in place of docker. -> the
    credential that the login stored for the registry, or with `output` what they printed. With ok=False they must
    fail."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "docker").write_text('#!/bin/sh\nexec podman "$@"\n')
    (programs / "docker").chmod(0o755)

    def shell(script, registry, shell="sh", ok=True, output=False, **environment):
        auth = tmp_path / "auth.json"
        auth.write_text("{}")
        environment = {
            "HOME": str(tmp_path),
            "PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin",
            "XDG_RUNTIME_DIR": str(tmp_path),
            "REGISTRY_AUTH_FILE": str(auth),
            "SSL_CERT_FILE": str(registry.ca),
            "REGISTRY": registry.address,
            **environment,
        }
        argv = [shell, "-eu", *(["-o", "pipefail"] if shell == "bash" else []), "-c", script]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode == 0) == ok, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout if output else credential_in(auth, registry)

    return shell


def credential_in(file, registry):
    stored = json.loads(file.read_text()).get("auths", {}).get(registry.address)
    return stored and base64.b64decode(stored["auth"]).decode()


@contextlib.contextmanager
def token_service(issue):
    """The service of GitHub's runners that gives a job its tokens. -> its URL"""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            query = parse_qs(urlparse(self.path).query)
            good = self.headers["Authorization"] == "Bearer of-the-runner" and query["api-version"] == ["2.0"]
            body = json.dumps({"value": issue(query["audience"][0])}).encode() if good else b"{}"
            self.send_response(200 if good else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/idtoken?api-version=2.0"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


needs_tools = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("podman", "curl", "jq"))),
    reason="needs podman as root, curl and jq",
)


@pytest.mark.modes("standalone")
@pytest.mark.parametrize("policy", [GITHUB_POLICY, CLUSTER_POLICY], ids=["github", "kubernetes"])
def test_the_policies_pass_the_check(policy, mode, tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text(policy)
    (tmp_path / "accounts").write_text("")
    argv = [PROGRAMS / "entrepotctl", "policy", "check", file, "--known", "admin"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{file} is a good policy\n", "")


def test_github_tokens_get_what_the_policy_gives_them(start):
    registry, github = start(GITHUB_POLICY)
    account = "oidc+github:repo:octo-org/octo-repo:ref:refs/heads/main"
    assert rights(registry, github.github()) == ({"pull", "push"}, account)
    assert rights(registry, github.github(), "other/web") == (set(), account)

    request = {"sub": "repo:octo-org/octo-repo:pull_request", "ref": "refs/pull/7/merge", "event_name": "pull_request",
               "head_ref": "main", "base_ref": "main"}  # fmt: skip
    assert rights(registry, github.github(**request))[0] == {"pull"}
    assert rights(registry, github.github(event_name="pull_request_target"))[0] == {"pull"}
    assert rights(registry, github.github(ref="refs/heads/refs/heads/main"))[0] == {"pull"}
    environment = {"sub": "repo:octo-org/octo-repo:environment:production", "environment": "production"}
    assert rights(registry, github.github(**environment)) == (
        {"pull", "push"}, "oidc+github:repo:octo-org/octo-repo:environment:production")  # fmt: skip

    many = [f"octo-org/team-{number:04}" for number in range(400)]
    large = github.github(groups=many)
    assert len(large) > 8192
    assert rights(registry, large) == ({"pull", "push"}, account)

    # Another repository, one that has the name of a deleted one, and claims that are not text.
    assert "meets no rule" in refusal(registry, github.github(repository_id="75", repository="octo-org/other"))
    assert "meets no rule" in refusal(registry, github.github(repository_owner_id="66"))
    assert "meets no rule" in refusal(registry, github.github(repository_id=74, repository_owner_id=65))
    assert "audience" in refusal(registry, github.github(audience="https://github.com/octo-org"))
    assert "expired" in refusal(registry, github.github(exp=int(time.time()) - 600))
    assert "issuer" in refusal(registry, github.github(iss="https://token.actions.githubusercontent.com/"))


def test_kubernetes_tokens_get_what_the_policy_gives_them(start):
    registry, cluster = start(CLUSTER_POLICY)
    account = "oidc+cluster:system:serviceaccount:builds:builder"
    assert rights(registry, cluster.kubernetes()) == ({"pull", "push"}, account)
    assert rights(registry, cluster.kubernetes("default"))[0] == {"pull"}
    assert rights(registry, cluster.kubernetes(), "other/web")[0] == set()
    assert "meets no rule" in refusal(registry, cluster.kubernetes(namespace="kube-system"))
    assert "audience" in refusal(registry, cluster.kubernetes(audience="https://kubernetes.default.svc.cluster.local"))
    # An old token of a Secret has other claims, no audience and no expiry.
    legacy = {"aud": None, "exp": None, "kubernetes.io": None, "kubernetes.io/serviceaccount/namespace": "builds"}
    assert refusal(registry, cluster.kubernetes(**legacy))


@needs_tools
def test_the_steps_of_the_workflow_log_in(start, shell):
    registry, github = start(GITHUB_POLICY)
    assert WORKFLOW["permissions"]["id-token"] == "write"
    (login,) = (step for step in WORKFLOW["jobs"]["publish"]["steps"] if step.get("name") == "Log in")
    with token_service(lambda audience: github.github(audience)) as url:
        stored = shell(login["run"], registry, shell=login["shell"], ACTIONS_ID_TOKEN_REQUEST_URL=url,
                       ACTIONS_ID_TOKEN_REQUEST_TOKEN="of-the-runner")  # fmt: skip
    user, _, token = stored.partition(":")
    assert user == "oidc"
    assert rights(registry, token)[0] == {"pull", "push"}


@needs_tools
def test_the_commands_of_the_job_log_in(start, shell, tmp_path):
    registry, cluster = start(CLUSTER_POLICY)
    spec = JOB["spec"]["template"]["spec"]
    (container,), (volume,) = spec["containers"], spec["volumes"]
    (mount,), (source,) = container["volumeMounts"], volume["projected"]["sources"]
    projected = source["serviceAccountToken"]
    assert mount["name"] == volume["name"]
    assert f"{mount['mountPath']}/{projected['path']}" == TOKEN_FILE
    assert (ACCOUNT["metadata"]["name"], ACCOUNT["metadata"]["namespace"]) == ("builder", "builds")
    assert (spec["serviceAccountName"], JOB["metadata"]["namespace"]) == ("builder", "builds")

    # What the kubelet writes there.
    file = tmp_path / "token"
    file.write_text(cluster.kubernetes(spec["serviceAccountName"], JOB["metadata"]["namespace"], projected["audience"]))
    (login,) = (line for line in container["args"][0].splitlines() if " login " in line)
    assert login.count(TOKEN_FILE) == 1
    stored = shell(login.replace(TOKEN_FILE, str(file)), registry)
    assert stored == f"oidc:{file.read_text()}"
    assert rights(registry, stored.partition(":")[2])[0] == {"pull", "push"}

    # A refused token, and the command that shows why.
    file.write_text(cluster.kubernetes(audience="vault"))
    shell(login.replace(TOKEN_FILE, str(file)), registry, ok=False)
    refused = json.loads(shell(TRY.replace("cat token", f"cat {file}"), registry, output=True))
    assert refused["errors"][0]["message"] == f'the token is not for the audience "{AUDIENCE}"'
    file.write_text(stored.partition(":")[2])

    directory = tmp_path / "docker"
    assert DOCKER_CONFIG.count(TOKEN_FILE) == 1
    shell(DOCKER_CONFIG.replace(TOKEN_FILE, str(file)), registry, DOCKER_CONFIG=str(directory))
    assert (directory / "config.json").stat().st_mode & 0o777 == 0o600
    assert credential_in(directory / "config.json", registry) == stored

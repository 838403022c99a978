"""Each client, logged in over TLS, can do what examples/policy.yaml allows, and nothing else."""

import contextlib
import functools

import pytest

from clients.accounts import ALL
from fixtures.accounts import PASSWORDS, Client
from fixtures.tools import go_tool


@pytest.fixture(params=ALL)
def client(request, secured_registry, images, run, tmp_path):
    """client(account): a client that has logged in; client(): an anonymous one."""
    with contextlib.ExitStack() as stack:
        clients = {}

        def client(account=None):
            if account not in clients:
                made = ALL[request.param](secured_registry, run, tmp_path / (account or "anonymous"), stack)
                if account:
                    made.login(account, PASSWORDS[account])
                clients[account] = made
            return clients[account]

        client.name = request.param
        yield client


def digest_of(registry, repository, tag):
    """-> the digest of the tag as an administrator sees it; None if it does not exist."""
    answer = Client(registry, "admin").request(
        "HEAD", f"/v2/{repository}/manifests/{tag}", f"repository:{repository}:pull", headers={"Accept": "*/*"}
    )
    return answer.headers["Docker-Content-Digest"] if answer.status == 200 else None


def assert_shows_refusal(text):
    words = ("unauthorized", "denied", "insufficient", "401", "403", "invalid username/password", "closed pipe")
    assert any(each in text.lower() for each in words), text


def test_allowed_requests_succeed(secured_registry, images, client):
    ci, prod, admin = client("ci"), client("prod"), client("admin")
    repository = f"driftwood/{client.name}"
    ci.push(images.small["one"], "one", repository, "v1")
    ci.pull(repository, "v1")
    ci.copy(repository, "v1", f"{repository}/copy")
    assert digest_of(secured_registry, repository, "v1")
    assert digest_of(secured_registry, f"{repository}/copy", "v1")

    ci.push(images.small["two"], "two", "driftwood/web", f"{client.name}-1")
    prod.pull("driftwood/web", f"{client.name}-1")

    admin.push(images.small["one"], "one", f"public/{client.name}", "v1")
    client().pull(f"public/{client.name}", "v1")
    if admin.can_delete:
        admin.delete(repository, "v1")
        assert digest_of(secured_registry, repository, "v1") is None


def test_forbidden_requests_are_refused_without_effect(secured_registry, images, client):
    ci, prod, anonymous = client("ci"), client("prod"), client()
    repository = f"driftwood/{client.name}-private"
    ci.push(images.small["one"], "one", repository, "v1")
    for stranger in (prod, anonymous):
        assert_shows_refusal(stranger.pull(repository, "v1", ok=False))
        assert_shows_refusal(stranger.push(images.small["two"], "two", repository, "v2", ok=False))
    assert_shows_refusal(prod.push(images.small["two"], "two", "driftwood/web", f"{client.name}-2", ok=False))
    assert_shows_refusal(ci.push(images.small["two"], "two", f"elsewhere/{client.name}", "v1", ok=False))
    for name, tag in ((repository, "v2"), ("driftwood/web", f"{client.name}-2"), (f"elsewhere/{client.name}", "v1")):
        assert digest_of(secured_registry, name, tag) is None


PULL_ONLY = 'may not push to "{}": rule 1 ("production runs the web image") of policy.yaml allows only pull'
NO_PUSH = 'may not push to "{}": no rule of policy.yaml allows it'
NO_PULL = 'may not pull from "{}": no rule of policy.yaml allows it'
# What each client prints if the policy denies
#   - a push to a repository from which the account may pull,
#   - a push to a repository from which it may not even pull,
#   - a pull.
# The reason is in the body of a 403. A HEAD has no body, so its answer is 401 with the reason in the challenge. crane,
# oras and podman begin a push with a HEAD, which needs pull; of them only podman reads the challenge. containerd prints
# neither, and "insufficient_scope" is the challenge's error.
DENIALS = {
    "crane": (PULL_ONLY, "401 Unauthorized", NO_PULL),
    "oras": (PULL_ONLY, "401: Unauthorized", NO_PULL),
    "regctl": (PULL_ONLY, NO_PUSH, NO_PULL),
    "podman": (PULL_ONLY, NO_PULL, NO_PULL),
    "docker": (PULL_ONLY, NO_PUSH, NO_PULL),
    "ctr": ("403 Forbidden", "403 Forbidden", "insufficient_scope"),
}


def unquoted(text):
    """Without what clients do to quotes: regctl escapes them as JSON does, and challenges have single ones."""
    return text.replace("\\", "").replace("'", '"')


def test_denial_shows_the_rule_and_the_client_gives_up(secured_registry, images, client):
    ci, prod = client("ci"), client("prod")
    hidden = f"driftwood/{client.name}-hidden"
    ci.push(images.small["one"], "one", hidden, "v1")
    attempts = (
        ("driftwood/web", lambda: prod.push(images.small["two"], "two", "driftwood/web", "denied", ok=False)),
        (hidden, lambda: prod.push(images.small["two"], "two", hidden, "denied", ok=False)),
        (hidden, lambda: prod.pull(hidden, "v1", ok=False)),
    )
    for (repository, attempt), expected in zip(attempts, DENIALS[client.name]):
        before = secured_registry.metrics().total("entrepot_http_requests_total")
        shown = unquoted(attempt())
        requests = secured_registry.metrics().total("entrepot_http_requests_total") - before
        reason = f'account "prod" {expected.format(repository)}' if "{}" in expected else expected
        assert reason in shown, shown
        assert requests < 30, f"{requests} requests: {shown}"


def test_skopeo_shows_why_a_copy_is_denied(secured_registry, images, run, tmp_path):
    with contextlib.ExitStack() as stack:
        prod = ALL["podman"](secured_registry, run, tmp_path / "prod", stack)
        prod.login("prod", PASSWORDS["prod"])
        source = f"oci:{images.small['two'].directory}:two"
        for repository, reason in (("driftwood/web", PULL_ONLY), ("driftwood/hidden", NO_PULL)):
            target = f"docker://{prod.reference(repository, 'denied')}"
            trust = f"--dest-cert-dir={prod.certificates}"
            shown = prod.run("skopeo", "--insecure-policy", "copy", trust, source, target, ok=False)
            assert f'account "prod" {reason.format(repository)}' in unquoted(shown), shown


def test_immutable_tag_cannot_be_moved_and_the_client_shows_why(secured_registry, images, client):
    ci, admin = client("ci"), client("admin")
    repository, tag = "driftwood/web", f"release-{client.name}"
    ci.push(images.small["one"], "one", repository, tag)
    before = digest_of(secured_registry, repository, tag)
    ci.push(images.small["one"], "one", repository, tag)
    for account in (ci, admin):
        shown = account.push(images.small["two"], "two", repository, tag, ok=False)
        assert not ci.shows_error_message or "releases are final" in shown or "immutable" in shown, shown
    if admin.can_delete:
        admin.delete(repository, tag, ok=False)
    assert digest_of(secured_registry, repository, tag) == before


def test_wrong_password_is_refused(client):
    stranger = client()
    assert_shows_refusal(stranger.login("ci", "a wrong password", ok=False))


def test_helm_obeys_the_policy(secured_registry, run, tmp_path):
    def helm_of(account):
        home = tmp_path / account
        home.mkdir()
        env = {"HOME": str(home), "HELM_REGISTRY_CONFIG": str(home / "registry.json"), "DOCKER_CONFIG": str(home)}
        helm = functools.partial(run, go_tool("helm"), env=env)
        ca = f"--ca-file={secured_registry.ca}"
        login = ("registry", "login", secured_registry.address, "-u", account, "--password-stdin", ca)
        helm(*login, input=PASSWORDS[account])
        return helm, ca

    helm, ca = helm_of("ci")
    helm("create", tmp_path / "shop")
    helm("package", tmp_path / "shop", "--version", "1.0.0", "--destination", tmp_path)
    charts = f"oci://{secured_registry.address}/driftwood/charts"
    helm("push", ca, tmp_path / "shop-1.0.0.tgz", charts)
    other = f"oci://{secured_registry.address}/other"
    assert_shows_refusal(helm("push", ca, tmp_path / "shop-1.0.0.tgz", other, ok=False))
    helm("pull", ca, f"{charts}/shop", "--version", "1.0.0", "-d", tmp_path / "ci")
    assert (tmp_path / "ci" / "shop-1.0.0.tgz").read_bytes() == (tmp_path / "shop-1.0.0.tgz").read_bytes()
    prod, ca = helm_of("prod")
    assert_shows_refusal(prod("pull", ca, f"{charts}/shop", "--version", "1.0.0", ok=False))
    wrong = run(go_tool("helm"), "registry", "login", secured_registry.address, "-u", "ci", "--password-stdin", ca,
                input="wrong", ok=False)  # fmt: skip
    assert_shows_refusal(wrong)

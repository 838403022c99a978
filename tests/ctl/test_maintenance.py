"""entrepotctl looks after what a registry stores: garbage, scrub, checks, backups, usage, retention."""

import concurrent.futures
import json
import os
import shlex
import shutil
import subprocess
import threading
import time

import pytest

from auth.content import push_image as push_image_as
from fault.content import MIB, digest_of, image_of, pull, push, push_blobs, put_manifest
from fault.objects import object_files
from fixtures import http
from fixtures.accounts import PASSWORDS, Client
from fixtures.polling import wait_for
from fixtures.registry import PROGRAMS

CTL = PROGRAMS / "entrepotctl"
# Nothing goes but when it is told to, and then at once.
BY_HAND = {"disabled": True, "lease": "0.1s", "grace": "0.1s", "orphan_age": "0.1s", "scrub": {"disabled": True}}


def run(*words, code=0, registry=None, env=None, stdin=""):
    """What entrepotctl printed."""
    environment = {"ENTREPOT_REGISTRY": registry.url} if registry else {}
    done = subprocess.run([CTL, *words], env={**environment, **(env or {})}, capture_output=True, text=True, check=False,
                          input=stdin, timeout=120)  # fmt: skip
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def run_json(*words, **options):
    return json.loads(run(*words, "--output", "json", **options))


@pytest.fixture
def registry(make_registry):
    return make_registry({"collector": BY_HAND})


def push_image(registry, repository, tag, *layers):
    """-> its digest."""
    config = f"config of {repository}:{tag}".encode()
    for data in (config, *layers):
        answer = push(registry, repository, data)
        assert answer.status == 201, answer
    content = image_of(config, *layers)
    answer = put_manifest(registry, repository, tag, content)
    assert answer.status == 201, answer
    return digest_of(content)


def stored(registry):
    """The digests of the objects that are files; one that was pushed twice is there twice until the collector came."""
    return sorted(digest_of(file.read_bytes()) for file in object_files(registry))


def delete_manifest(registry, repository, digest):
    answer = http.request("DELETE", f"{registry.url}/v2/{repository}/manifests/{digest}")
    assert answer.status == 202, answer


def collect(registry):
    """Until nothing is left to be done: condemned by one run, deleted by the next."""
    runs = []

    def left_over():
        runs.append(run_json("gc", "run", registry=registry))
        status = run_json("gc", "status", registry=registry)
        return {key: status[key] for key in ("due", "deleteIntents", "queued") if status[key] != "0"}

    wait_for(left_over, lambda left: not left)
    return runs


def directories(registry):
    """The options of `check` for a registry that does not run."""
    if registry.mode == "standalone":
        return ["--data", registry.data / "store"]
    return ["--manifest", registry.data / "manifest", "--blobs", registry.data / "blob"]


def test_garbage_is_deleted_on_command(registry):
    kept, lost = os.urandom(MIB), os.urandom(MIB)
    push_image(registry, "team/app", "kept", kept)
    gone = push_image(registry, "team/app", "gone", kept, lost)
    before = stored(registry)
    assert set(before) == {digest_of(kept), digest_of(lost)}
    delete_manifest(registry, "team/app", gone)

    dry = run_json("gc", "dry-run", registry=registry)
    assert digest_of(lost) in [blob["digest"] for blob in dry["doomed"]]
    assert digest_of(kept) not in [blob["digest"] for blob in dry["doomed"]]
    assert "would be deleted; nothing was changed" in run("gc", "dry-run", registry=registry)
    assert stored(registry) == before and pull(registry, "team/app", lost).status == 200

    runs = collect(registry)
    assert sum(int(each["sweptBytes"]) for each in runs) >= MIB
    assert stored(registry) == [digest_of(kept)]
    assert pull(registry, "team/app", lost).status == 404
    assert pull(registry, "team/app", kept).body == kept
    history = run_json("gc", "status", registry=registry)["history"]
    assert sum(int(each["deleted"]) for each in history) == 2
    assert "lease 100ms, grace 100ms, runs only when it is told to" in run("gc", "status", registry=registry)
    assert run("check", "--rehash", registry=registry).startswith("no violations")


def test_a_run_now_waits_for_leases_and_not_for_graces(make_registry):
    registry = make_registry({"collector": {**BY_HAND, "lease": "3s", "grace": "1.5s"}})
    layer = os.urandom(MIB)
    image = push_image(registry, "team/app", "v1", layer)
    delete_manifest(registry, "team/app", image)
    assert push(registry, "team/app", b"pushed just now").status == 201
    early = run_json("gc", "run", "--now", registry=registry)
    # The three blobs, unless the lease of the first ones ended meanwhile.
    waiting = int(early["waits"]["leased"]["count"])
    assert waiting + int(early["deleted"]) == 3 and waiting >= 1, early
    assert early["waits"]["leased"]["firstAt"] <= early["waits"]["leased"]["lastAt"]
    status = run_json("gc", "status", registry=registry)
    assert int(status["waits"]["leased"]["count"]) + int(status["due"]) == waiting

    # A lease ends, and the run that condemns a blob also deletes it.
    runs = [early]

    def deleted():
        runs.append(run_json("gc", "run", "--now", registry=registry))
        assert runs[-1]["deleted"] == runs[-1]["condemned"] == runs[-1]["gracesSkipped"]
        return sum(int(each["deleted"]) for each in runs)

    wait_for(deleted, lambda count: count >= 3)
    assert sum(int(each["sweptBytes"]) for each in runs) >= MIB
    assert stored(registry) == []
    text = run("gc", "run", "--now", registry=registry)
    assert "skipped the graces of 0 blobs" in text and "nothing waits" in text
    assert "nothing waits" in run("gc", "status", registry=registry)
    assert run("check", "--rehash", registry=registry).startswith("no violations")


def test_checks_find_what_is_missing(registry):
    layer = os.urandom(MIB)
    push_image(registry, "team/app", "v1", layer)
    assert "no violations: 2 blobs, 1 manifest\n" == run("check", registry=registry)
    (file,) = object_files(registry)
    file.unlink()
    for words in (["check"], ["check", "--rehash"]):
        found = run(*words, registry=registry, code=1)
        assert f"I1: {digest_of(layer)}" in found and "1 violation" in found, found
    report = run_json("check", registry=registry, code=1)
    assert len(report["violations"]) == 1 and report["blobs"] == "2"

    in_use = run("check", *directories(registry), code=1)
    assert "in use by another process" in in_use and "without --data" in in_use
    registry.stop()
    assert f"I1: {digest_of(layer)}" in run("check", *directories(registry), code=1)
    file.write_bytes(layer)
    assert run("check", "--rehash", *directories(registry)).startswith("no violations: 2 blobs, 1 manifest, 1.0 MiB")
    file.write_bytes(layer[:-1] + bytes([layer[-1] ^ 1]))
    assert run("check", *directories(registry)).startswith("no violations")
    assert f"I1: {digest_of(layer)}" in run("check", "--rehash", *directories(registry), code=1)
    assert "is not a data directory" in run("check", "--data", "/nowhere", code=1)
    assert "--manifest and --blobs" in run("check", "--manifest", "/nowhere", code=2)


def test_a_scrub_finds_a_flipped_bit_and_a_push_heals_it(registry):
    layer = os.urandom(MIB)
    push_image(registry, "team/app", "v1", layer)
    assert "2 good blobs" in run("scrub", registry=registry)
    (file,) = object_files(registry)
    with open(file, "r+b") as opened:
        opened.seek(MIB // 2)
        opened.write(bytes([layer[MIB // 2] ^ 4]))
    assert "1 corrupt, 0 missing" in run("scrub", registry=registry, code=1)
    listed = run("scrub", "status", registry=registry, code=1)
    assert digest_of(layer) in listed and "team/app" in listed
    answer = pull(registry, "team/app", layer)
    assert answer.status == 404, answer
    assert push(registry, "team/app", layer).status == 201
    assert pull(registry, "team/app", layer).body == layer
    assert "no blob is corrupt" in run("scrub", "status", registry=registry)
    assert "2 good blobs" in run("scrub", registry=registry)


def test_du(registry):
    shared, own = os.urandom(2 * MIB), os.urandom(MIB)
    push_image(registry, "team/app", "v1", shared, own)
    push_image(registry, "team/web", "v1", shared)
    config = b"config of team/app:v1"
    app_alone = len(config) + len(image_of(config, shared, own))
    web_alone = len(config) + len(image_of(config, shared))
    assert push(registry, "team/junk", os.urandom(1000)).status == 201
    usage = run_json("du", registry=registry)
    app, web = usage["repositories"][:2]
    assert (app["name"], web["name"]) == ("team/app", "team/web")
    assert int(app["bytes"]) == 3 * MIB + app_alone and int(app["ownBytes"]) == MIB + app_alone
    assert int(web["bytes"]) == 2 * MIB + web_alone and int(web["ownBytes"]) == web_alone
    assert (app["blobs"], app["manifests"], app["tags"]) == ("3", "1", "1")
    assert int(usage["storedBytes"]) == 3 * MIB + app_alone + web_alone + 1000
    assert int(usage["linkedBytes"]) - int(usage["storedBytes"]) == 2 * MIB
    assert "saved   2.0 MiB" in run("du", registry=registry)
    assert "team/web" in run("du", "--repository", "team/web", registry=registry)
    assert "is not there" in run("du", "--repository", "team/x", registry=registry, code=1)


def test_open_uploads_are_listed_and_cancelled(registry):
    sessions = {}
    for repository, data in (("team/app", b""), ("team/web", os.urandom(MIB))):
        answer = http.request("POST", f"{registry.url}/v2/{repository}/blobs/uploads/")
        sessions[repository] = answer.headers["Docker-Upload-UUID"]
        if data:
            assert http.request("PATCH", registry.url + answer.headers["Location"], body=data).status == 202
    uploads = {upload["id"]: upload for upload in run_json("uploads", "list", registry=registry)["uploads"]}
    assert set(uploads) == set(sessions.values())
    web = uploads[sessions["team/web"]]
    assert (web["repository"], web["client"], web["receivedBytes"]) == ("team/web", "127.0.0.1", str(MIB))
    assert web["startedAt"] <= web["touchedAt"] < web["expiresAt"]
    assert "2 open uploads, 1.0 MiB" in run("uploads", "list", registry=registry)
    assert "1 open upload, 0 B" in run("uploads", "list", "--repository", "team/app", registry=registry)
    totals = run_json("gc", "status", registry=registry)["uploads"]
    assert (totals["sessions"], totals["bytes"]) == ("2", str(MIB))
    assert (totals["idle"]["count"], totals["idle"]["bytes"]) == ("2", str(MIB))
    ends = sorted(upload["expiresAt"] for upload in uploads.values())
    assert [totals["idle"]["firstAt"], totals["idle"]["lastAt"]] == ends
    for words in (["gc", "status"], ["gc", "run"], ["du"]):
        assert "open uploads" in run(*words, registry=registry).split("WAITS")[1]
    assert "uploads 2 open uploads, 1.0 MiB" in run("du", registry=registry)

    assert run("uploads", "cancel", sessions["team/app"], registry=registry) == "cancelled 1 upload\n"
    assert run("uploads", "cancel", "--client", "127.0.0.1", registry=registry) == "cancelled 1 upload\n"
    assert "0 open uploads, 0 B" in run("uploads", "list", registry=registry)
    url = f"{registry.url}/v2/team/web/blobs/uploads/{sessions['team/web']}"
    assert http.request("GET", url).status == 404


POLICY = """
administrators: [admin]
rules:
  - {name: ci, subjects: [ci], repositories: ["**"], actions: [pull, push, delete]}
immutable_tags:
  - {name: releases are final, repositories: ["**"], tags: ["v*"]}
"""
RETENTION = """
rules:
  - name: the last two
    repositories: ["team/*"]
    keep: {last_tags: 2}
    untagged_after: 0.001s
"""


def test_retention(make_secured_registry, tmp_path):
    rules = tmp_path / "retention.yaml"
    rules.write_text(RETENTION)
    registry = make_secured_registry(
        config={"collector": {**BY_HAND, "retention_file": str(rules)}}, policy=POLICY
    )
    env = {"ENTREPOT_REGISTRY": registry.url, "ENTREPOT_USERNAME": "admin", "ENTREPOT_PASSWORD": PASSWORDS["admin"]}

    def ctl(*words, **options):
        return run("--ca-file", registry.ca, *words, env=env, **options)

    ci = Client(registry, "ci")
    for tag in ("v1", "a", "b", "c"):
        push_image_as(ci, "team/app", tag, tag)
    push_image_as(ci, "other/app", "a", "a")

    def tags():
        return ci.request("GET", "/v2/team/app/tags/list", "repository:team/app:pull").json()["tags"]

    assert "is a good retention file" in run("retention", "check", rules)
    bad = tmp_path / "bad.yaml"
    bad.write_text("rules:\n  - keep: {last: 2}\n")
    assert "last" in run("retention", "check", bad, code=1)
    dry = ctl("retention", "dry-run")
    assert "tag a" in dry and "nothing was changed" in dry and "1 immutable tag" in dry
    assert "0 tags" in ctl("retention", "dry-run", _rules(tmp_path, RETENTION.replace("2", "9")))
    assert "400" in ctl("retention", "dry-run", bad, code=1)
    assert tags() == ["a", "b", "c", "v1"]

    report = json.loads(ctl("retention", "run", "--output", "json"))
    assert [removal["what"] for removal in report["removals"]][0] == "tag a"
    assert report["keptImmutable"] == "1"
    assert tags() == ["b", "c", "v1"]
    audited = [json.loads(line) for line in _audit_lines(registry)]
    removed = [line for line in audited if line["event"] == "retention"]
    assert [(line["account"], line["repository"], line["removed"]) for line in removed][0] == (
        "admin", "team/app", "tag a")  # fmt: skip
    assert "last two" in removed[0]["reason"]
    (started,) = [line for line in audited if line["event"] == "maintenance"]
    assert (started["account"], started["command"]) == ("admin", "apply_retention")
    refused = run("--ca-file", registry.ca, "gc", "run", code=1,
                  env={**env, "ENTREPOT_USERNAME": "ci", "ENTREPOT_PASSWORD": PASSWORDS["ci"]})  # fmt: skip
    assert "the registry answered 40" in refused
    assert "--username" in run("--ca-file", registry.ca, "gc", "run", env={**env, "ENTREPOT_USERNAME": ""}, code=2)


def _rules(directory, text):
    file = directory / "other.yaml"
    file.write_text(text)
    return file


def _audit_lines(registry):
    """Those of the processes' logs too: the manifest service has no audit file."""
    lines = registry.audit_file.read_text().splitlines()
    for process in registry.processes.values():
        lines += [line for line in process.log.read_text().splitlines() if '"message":"audit"' in line]
    return [line for line in lines if line.startswith("{")]


class Load:
    """Pushes images until it is stopped; what was acknowledged, and when."""

    def __init__(self, registry, name):
        self._registry = registry
        self._repository = f"load/{name}"
        self._stop = threading.Event()
        self.images = []  # (when it was acknowledged, repository, tag, digest, layers)
        pool = concurrent.futures.ThreadPoolExecutor(1)
        self._pushes = pool.submit(self._run)
        pool.shutdown(wait=False)

    def _run(self):
        while not self._stop.is_set():
            layers = [os.urandom(3_000), os.urandom(100_000)]
            tag = f"t{len(self.images)}"
            digest = push_image(self._registry, self._repository, tag, *layers)
            self.images.append((time.monotonic(), self._repository, tag, digest, layers))

    def wait_for(self, accept):
        """Until `accept(self.images)` holds. Fails at once if a push has failed."""
        wait_for(lambda: self._pushes.done() or accept(self.images), pause=0.01)
        if self._pushes.done():
            self._pushes.result()

    def stop(self):
        self._stop.set()
        self._pushes.result()
        return self.images


def test_restores_all_that_was_acknowledged_before_a_backup(registry, make_registry, mode, tmp_path):
    push_blobs(registry, "junk")
    loads = [Load(registry, name) for name in ("a", "b")]
    for load in loads:
        load.wait_for(lambda images: len(images) >= 5)
    began = time.monotonic()
    backup = run_json("backup", "drill", registry=registry)
    ended = time.monotonic()
    for load in loads:
        load.wait_for(lambda images: images[-1][0] >= ended)
    images = [image for load in loads for image in load.stop()]
    assert "there is a backup" in run("backup", "drill", registry=registry, code=1)
    assert "400" in run("backup", "../x", registry=registry, code=1)
    registry.stop()

    target = tmp_path / "restored"
    words = {
        "standalone": [registry.data / "store/backups/drill", target / "store"],
        "split": [registry.data / "manifest/backups/drill", target / "manifest",
                  "--blobs", registry.data / "blob/backups/drill", "--blobs-data", target / "blob"],
    }[mode]  # fmt: skip
    restored = run("restore", *words)
    assert "no violations" in restored and "restored to" in restored
    assert "not empty" in run("restore", *words, code=2)
    assert backup["directory"].endswith("backups/drill") and int(backup["objects"]) > 0

    # What was pushed while the backup ran has objects and no records: many, beside the few images of this test.
    again = make_registry({"collector": {**BY_HAND, "quarantine_percent_max": 100}}, data=target)
    before = [image for image in images if image[0] < began]
    assert len(before) >= 10 and int(backup["blobs"]) >= 3 * len(before)
    for _, repository, tag, digest, layers in before:
        answer = http.request("GET", f"{again.url}/v2/{repository}/manifests/{tag}")
        assert answer.status == 200 and digest_of(answer.body) == digest, answer
        for layer in layers:
            assert pull(again, repository, layer).body == layer
    push_image(again, "load/a", "new", os.urandom(MIB))
    collect(again)
    assert run("check", "--rehash", registry=again).startswith("no violations")


def test_backup_and_restore_print_the_next_command(registry, mode, tmp_path):
    large = os.urandom(MIB)
    push_image(registry, "team/app", "v1", large, b"small")
    printed = run("backup", "drill", registry=registry)
    assert printed.startswith("backed up 3 blobs, 1.0 MiB\n") and "1 object, 1.0 MiB: all blobs over 64 KiB" in printed
    (line,) = [line for line in printed.splitlines() if line.startswith("to restore it: entrepotctl restore ")]
    words = shlex.split(line.removeprefix("to restore it: entrepotctl "))
    top = tmp_path / "restored" / mode
    names = {"NEW-DATA": top, "NEW-MANIFEST-DATA": top / "manifest", "NEW-BLOB-DATA": top / "blob"}
    restored = run(*[names.get(word, word) for word in words])
    assert restored.startswith("no violations: 3 blobs, 1 manifest")
    option = "--split " if mode == "split" else ""
    assert restored.endswith(f"\nto serve it: scripts/serve {option}--data {tmp_path}/restored\n")


def test_restores_nothing_from_a_damaged_backup(registry, mode, tmp_path):
    layer = os.urandom(MIB)
    push_image(registry, "team/app", "v1", layer)
    run("backup", "drill", registry=registry)
    store = registry.data / ("store" if mode == "standalone" else "blob")
    (file,) = [file for file in (store / "backups/drill").rglob("*") if file.is_file() and file.stat().st_size == MIB]
    # It may be a hard link to the registry's own.
    file.unlink()
    file.write_bytes(bytes([layer[0] ^ 1]) + layer[1:])
    words = [store / "backups/drill", tmp_path / "new"]
    if mode == "split":
        words = [registry.data / "manifest/backups/drill", tmp_path / "new", "--blobs", words[0],
                 "--blobs-data", tmp_path / "new-blobs"]  # fmt: skip
    found = run("restore", *words, code=1)
    assert f"I1: {digest_of(layer)}" in found and "nothing was restored" in found
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("new")]
    assert "is not a backup" in run("restore", tmp_path, tmp_path / "new", code=2)


def test_accounts_are_in_a_backup(make_secured_registry, mode, tmp_path):
    registry = make_secured_registry(config={"collector": BY_HAND})
    env = {"ENTREPOT_REGISTRY": registry.url, "ENTREPOT_USERNAME": "admin", "ENTREPOT_PASSWORD": PASSWORDS["admin"]}

    def ctl(*words, **options):
        return run("--ca-file", registry.ca, *words, env=env, **options)

    def create(user):
        ctl("users", "create", user, "--new-password-file", "-", stdin=f"password of {user}")

    create("alice")
    backup = json.loads(ctl("backup", "drill", "--output", "json"))
    assert backup.get("accountsDirectory", "").endswith("/auth/backups/drill" if mode == "split" else "")
    assert ("--accounts-data NEW-AUTH-DATA" in ctl("backup", "another")) == (mode == "split")
    assert "there is a backup" in ctl("backup", "drill", code=1)
    create("bob")
    registry.stop()

    services = {"standalone": ["store"], "split": ["manifest", "blob", "auth"]}[mode]
    for service in services:
        (registry.data / service).rename(tmp_path / f"lost-{service}")
    lost = [tmp_path / f"lost-{service}" / "backups/drill" for service in services]
    new = [registry.data / service for service in services]
    words = [lost[0], new[0]]
    if mode == "split":
        words += ["--blobs", lost[1], "--blobs-data", new[1], "--accounts", lost[2]]
        assert "--accounts and --accounts-data need each other" in run("restore", *words, code=2)
        words += ["--accounts-data", new[2]]
        no_accounts = [lost[0] if word == lost[2] else word for word in words]
        assert "the directory contains no records of an auth service" in run("restore", *no_accounts, code=1)
        assert not any(directory.exists() for directory in new)
    run("restore", *words)
    registry.start()
    assert Client(registry, "alice", "password of alice").ask().status == 200
    assert Client(registry, "alice", "another").ask().status == 401
    assert Client(registry, "bob", "password of bob").ask().status == 401


def command(registry, body):
    headers = {"Content-Type": "application/json"}
    return http.request("POST", registry.url + "/entrepot/v1/maintain", body=body, headers=headers)


SCRUB = json.dumps({"startJob": {"scrub": {}}}).encode()


def end_of(registry, job):
    """-> the job, once it has ended."""
    ask = json.dumps({"getJob": {"id": job["id"]}}).encode()
    return wait_for(lambda: command(registry, ask).json()["job"], lambda each: each["state"] != "RUNNING")


@pytest.mark.modes("split")
def test_jobs_of_a_kind_run_one_at_a_time(registry):
    push_image(registry, "team/app", "v1", os.urandom(MIB))
    # The scrub cannot end: the blob service, which reads the objects, stands still.
    with registry.processes["blob"].frozen():
        first = command(registry, SCRUB)
        second = command(registry, SCRUB)
    assert first.status == 200, first
    assert second.status == 409, second
    assert first.json()["job"]["id"] in second.json()["errors"][0]["message"]
    assert end_of(registry, first.json()["job"])["state"] == "DONE"
    assert command(registry, SCRUB).status == 200


def test_results_of_jobs_stay(registry):
    started = command(registry, SCRUB)
    assert started.status == 200 and started.json()["job"]["kind"] == "scrub", started
    job = end_of(registry, started.json()["job"])
    assert job["state"] == "DONE" and job["scrub"]["corrupt"] == "0"
    unknown = json.dumps({"getJob": {"id": "none"}}).encode()
    assert command(registry, unknown).status == 404


def owner_of_store(registry):
    """-> the catalog id and the generation that the blob service's store has; None if it has none yet."""
    file = registry.data / ("store" if registry.mode == "standalone" else "blob") / "blobs" / "catalog"
    return file.read_text().split() if file.exists() else None


def test_a_database_that_is_replaced_under_a_running_registry_stops_pushes(registry):
    kv = registry.data / ("store" if registry.mode == "standalone" else "manifest") / "kv"
    push_image(registry, "team/app", "kept", b"k" * MIB)
    kv.rename(registry.data / "moved")
    kv.mkdir()
    assert push(registry, "team/app", b"lost after a restart").status == 503
    assert http.request("GET", f"{registry.url}/v2/team/app/manifests/kept").status == 200
    registry.stop()
    shutil.rmtree(kv)
    (registry.data / "moved").rename(kv)
    registry.start()
    assert push(registry, "team/app", b"kept").status == 201


def test_an_older_database_beside_the_objects_stops_upkeep(registry):
    kv = registry.data / ("store" if registry.mode == "standalone" else "manifest") / "kv"
    push_image(registry, "team/app", "kept", b"k" * MIB)
    wait_for(lambda: owner_of_store(registry))
    registry.stop()
    shutil.copytree(kv, registry.data / "older")
    before = owner_of_store(registry)
    registry.start()
    # A start raises the generation.
    wait_for(lambda: owner_of_store(registry) != before)
    push_image(registry, "team/app", "newer", b"n" * MIB)
    registry.stop()
    shutil.rmtree(kv)
    (registry.data / "older").rename(kv)

    registry.start()
    (reason,) = run_json("gc", "status", registry=registry)["heldBack"]
    assert "the records are an older copy" in reason
    assert "entrepotctl gc accept stores" in run("gc", "run", registry=registry, code=1)
    assert digest_of(b"n" * MIB) in stored(registry), "the object without a record is still there"
    assert http.request("GET", f"{registry.url}/v2/team/app/manifests/kept").status == 200
    assert push(registry, "team/app", b"pushes go on").status == 201
    assert "HELD BACK" not in run("gc", "accept", "stores", registry=registry)
    assert int(run_json("gc", "run", registry=registry)["quarantined"]) >= 1


@pytest.mark.modes("split")
def test_new_records_are_bound_to_uploads_but_not_to_blobs(registry):
    def forget_the_catalog():
        registry.stop()
        shutil.rmtree(registry.data / "manifest")
        (registry.data / "blob" / "blobs" / "catalog").unlink()
        registry.start()

    wait_for(lambda: owner_of_store(registry))
    data = os.urandom(MIB)
    upload = http.request("POST", f"{registry.url}/v2/team/app/blobs/uploads/").headers["Location"]
    registry.kill9("manifest")
    refused = http.request("PUT", f"{registry.url}{upload}?digest={digest_of(data)}", body=data)
    assert refused.status == 503, refused
    assert digest_of(data) in stored(registry), "the upload is sealed, and not committed"
    forget_the_catalog()
    wait_for(lambda: owner_of_store(registry))
    assert run_json("gc", "status", registry=registry)["heldBack"] == []
    log = (registry.data / "manifest.log").read_text() + (registry.data / "blob.log").read_text()
    assert "could not be renewed" not in log and "writing the file catalog" not in log

    assert push(registry, "team/app", data).status == 201
    forget_the_catalog()
    (reason,) = run_json("gc", "status", registry=registry)["heldBack"]
    assert "there are objects, but the records name none" in reason
    assert owner_of_store(registry) is None

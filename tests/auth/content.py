"""Small images, and helpers that push them as an account of the registry."""

import hashlib
import json

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def descriptor(media_type, data):
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def manifest_of(config, layers, **more):
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": descriptor(CONFIG_TYPE, config),
        "layers": [descriptor(LAYER_TYPE, layer) for layer in layers],
        **more,
    }
    return json.dumps(manifest).encode()


def push_blob(client, repository, data, token=None):
    """-> the Answer."""
    path = f"/v2/{repository}/blobs/uploads/?digest={digest_of(data)}"
    return client.request("POST", path, f"repository:{repository}:pull,push", token, body=data)


def put_manifest(client, repository, reference, body, token=None):
    """-> the Answer."""
    return client.request("PUT", f"/v2/{repository}/manifests/{reference}", f"repository:{repository}:pull,push", token,
                          body=body, headers={"Content-Type": MANIFEST_TYPE})  # fmt: skip


def push_image(client, repository, tag, text="", token=None):
    """Pushes an image whose layer contains `text` -> the digest of its manifest."""
    config, layer = b"{}", f"layer of {text}".encode()
    token = token or client.token(f"repository:{repository}:pull,push")
    for blob in (config, layer):
        answer = push_blob(client, repository, blob, token)
        assert answer.status == 201, answer
    body = manifest_of(config, [layer])
    answer = put_manifest(client, repository, tag, body, token)
    assert answer.status == 201, answer
    return digest_of(body)


def code_of(answer):
    """-> (status, OCI error code)."""
    return answer.status, answer.json()["errors"][0]["code"]


def challenge_of(answer):
    """-> the parameters of the only Bearer challenge."""
    (challenge,) = answer.headers.get_all("WWW-Authenticate")
    scheme, _, rest = challenge.partition(" ")
    assert scheme == "Bearer", challenge
    parameters = {}
    for part in rest.split('",'):
        name, _, value = part.partition('="')
        parameters[name] = value.rstrip('"')
    return parameters

"""Pushes of images to a registry that is an upstream, or is measured beside one."""

import json

from fixtures.scripted_upstream import MANIFEST, Image, digest_of


def push_image(request, repository, layers, tag):
    """Pushes an image by request(method, path, ...) -> an Image."""

    def blob(data):
        digest = digest_of(data)
        answer = request("POST", f"/v2/{repository}/blobs/uploads/", body=b"")
        assert answer.status == 202, answer
        location = answer.headers["Location"]
        path = location[location.index("/v2/") :]
        answer = request("PUT", f"{path}{'&' if '?' in path else '?'}digest={digest}", body=data)
        assert answer.status == 201, answer
        return {"mediaType": "application/octet-stream", "digest": digest, "size": len(data)}

    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": blob(b"{}"), "layers": [blob(data) for data in layers]}
    body = json.dumps(manifest).encode()
    headers = {"Content-Type": MANIFEST}
    answer = request("PUT", f"/v2/{repository}/manifests/{tag}", body=body, headers=headers)
    assert answer.status == 201, answer
    digests = [each["digest"] for each in manifest["layers"]]
    return Image(repository, tag, digest_of(body), body, manifest["config"]["digest"], digests)

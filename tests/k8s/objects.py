"""What tests apply beside the manifests of k8s/."""

import os

import yaml

from k8s.manifests import K8S


def secret(name, namespace, **data):
    """`data`: {key: text}; a key that is not a word goes in with **{}."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "stringData": data}


def pod(name, namespace, image, pull_secret=None):
    """A pod whose image the kubelet always pulls."""
    secrets = {"imagePullSecrets": [{"name": pull_secret}]} if pull_secret else {}
    container = {"name": "app", "image": image, "imagePullPolicy": "Always"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 1, **secrets}}  # fmt: skip


def kustomization(directory, overlay, components=(), config_maps=None, patches=()):
    """Writes a kustomization of an overlay, as an operator does who keeps the manifests as they are -> its directory.
    config_maps: {name: {key: text}} in place of the overlay's, of those that keep their names."""
    directory.mkdir()
    namespace = yaml.safe_load((K8S / "overlays" / overlay / "kustomization.yaml").read_text())["namespace"]
    generators = []
    for name, files in (config_maps or {}).items():
        for key, text in files.items():
            (directory / key).write_text(text)
        generators.append({"name": name, "namespace": namespace, "behavior": "replace", "files": list(files),
                           "options": {"disableNameSuffixHash": True}})  # fmt: skip
    relative = os.path.relpath(K8S, directory)
    content = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
        "resources": [f"{relative}/overlays/{overlay}"],
        "components": [f"{relative}/components/{name}" for name in components],
        "configMapGenerator": generators, "patches": list(patches),
    }  # fmt: skip
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(content))
    return directory

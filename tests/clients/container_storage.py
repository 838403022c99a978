"""Storage of podman's and buildah's, of the test's own."""


def container_storage(directory):
    """The environment that makes both use it; what podman and buildah find in one does not exist in another."""
    directory.mkdir(parents=True)
    conf = directory / "storage.conf"
    conf.write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{directory}/root"\nrunroot = "{directory}/run"\n')
    policy = directory / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    registries = directory / "registries.conf"
    registries.write_text("unqualified-search-registries = []\n")
    return {"CONTAINERS_STORAGE_CONF": str(conf), "CONTAINERS_REGISTRIES_CONF": str(registries)}

"""The files that blobs are."""


def blob_directory(registry):
    data = registry.moved.get("blob", registry.data)
    return data / ("blob" if registry.mode == "split" else "store") / "blobs"


def object_files(registry):
    return [path for path in (blob_directory(registry) / "objects").rglob("*") if path.is_file()]

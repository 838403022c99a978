"""The files in which the registry stores blobs."""


def blob_directory(registry):
    data = registry.moved.get("blob", registry.data)
    return data / ("blob" if registry.mode == "split" else "store") / "blobs"


def object_files(registry):
    return [path for path in (blob_directory(registry) / "objects").rglob("*") if path.is_file()]


def files_of(registry, data):
    """The files that contain exactly these bytes."""
    return [path for path in object_files(registry) if holds(path, data)]


def holds(path, data):
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except FileNotFoundError:
        return False  # It was deleted in the meantime.

"""Makes the container image for scripts/image: an OCI image layout with the programs, the libraries that they load, and an
SBOM as an artifact that names the image as its subject. Nothing in it depends on the time or on the place of this
checkout."""

import argparse
import datetime
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile

PROGRAMS = ["entrepot", "entrepot-auth", "entrepot-blob", "entrepot-gateway", "entrepot-manifest", "entrepot-upstream",
            "entrepotctl"]
USER = 65532
DATA = "var/lib/entrepot"

# In a container the registry must listen on all addresses: the port is open where `docker run -p` opens it.
CONFIGURATION = """\
# The default of the image: one process, data in the volume /var/lib/entrepot, no accounts. Whoever reaches the port may pull,
# push and delete: publish it to this machine only (docker run -p 127.0.0.1:5000:5000), or mount a file of your own here.
# examples/standalone.yaml in the sources has all fields.
listen:
  address: 0.0.0.0
  port: 5000
  allow_unauthenticated: true
operator:
  address: 0.0.0.0
  port: 5001
data_directory: /var/lib/entrepot
"""

FILES = {
    "etc/entrepot/standalone.yaml": CONFIGURATION,
    "etc/passwd": f"root:x:0:0:root:/root:/sbin/nologin\nentrepot:x:{USER}:{USER}:entrepot:/var/lib/entrepot:/sbin/nologin\n",
    "etc/group": f"root:x:0:\nentrepot:x:{USER}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
# Copied from this machine.
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
OS_RELEASE = "usr/lib/os-release"

GZIP_LEVEL = 6

# An annotation of index.json. A directory with it may be replaced.
MARKER = ("invalid.entrepot.made-by", "scripts/image")


def fail(message):
    sys.exit(f"scripts/image: {message}")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def libraries_of(programs):
    """The paths of the libraries that the programs load, and of the loader: {path in the image: file}."""
    found = {}
    for program in programs:
        for line in run("ldd", str(program)).splitlines():
            match = re.fullmatch(r"\s*(?:(\S+) => )?(/\S+) \(0x[0-9a-f]+\)", line)
            if match:
                # "/lib" is a link to "/usr/lib". The loader's own path is part of each program.
                path = match[2] if match[1] is None else os.path.join(os.path.realpath(os.path.dirname(match[2])),
                                                                      os.path.basename(match[2]))
                found[path.lstrip("/")] = os.path.realpath(match[2])
            elif "not found" in line:
                fail(f"{program} needs a library that is not installed: {line.strip()}")
    return found


def packages_of(files):
    """The Debian packages of files: [{"name", "version", "architecture", "source", "paragraph"}], sorted by name."""
    names = set()
    for file in sorted(files):
        # dpkg knows a file by the path at which its package has it, with or without "/usr".
        for path in (file, file.removeprefix("/usr")):
            answer = subprocess.run(["dpkg-query", "--search", path], capture_output=True, text=True, check=False)
            if answer.returncode == 0:
                names.add(answer.stdout.rsplit(": ", 1)[0].split(", ")[0])
                break
        else:
            fail(f"{file} belongs to no Debian package")
    packages = []
    for name in names:
        version, architecture, source, source_version = run(
            "dpkg-query", "--show", "--showformat=${Version}\t${Architecture}\t${source:Package}\t${source:Version}",
            name).split("\t")
        paragraph = run("dpkg-query", "--status", name)
        # What the package manager of this machine thinks of it is not part of the package.
        paragraph = re.sub(r"^(Conffiles:\n(?: .*\n)*)", "", paragraph, flags=re.MULTILINE)
        packages.append({"name": name.split(":")[0], "version": version, "architecture": architecture, "source": source,
                         "source_version": source_version, "paragraph": paragraph.rstrip("\n") + "\n"})
    return sorted(packages, key=lambda package: package["name"])


class Layer:
    """A layer: files by their paths, written as a tar file that is the same for the same files."""

    def __init__(self, created):
        self._created = created
        self._entries = {}

    def add(self, path, content, mode=0o644, owner=0):
        self._add_parents(path)
        self._entries[path] = (tarfile.REGTYPE, content, mode, owner)

    def add_directory(self, path, mode=0o755, owner=0):
        self._add_parents(path)
        self._entries[path] = (tarfile.DIRTYPE, b"", mode, owner)

    def add_link(self, path, target):
        self._add_parents(path)
        self._entries[path] = (tarfile.SYMTYPE, target, 0o777, 0)

    def _add_parents(self, path):
        for parent in pathlib.PurePosixPath(path).parents:
            if str(parent) != ".":
                self._entries.setdefault(str(parent), (tarfile.DIRTYPE, b"", 0o755, 0))

    def tar(self):
        written = io.BytesIO()
        with tarfile.open(fileobj=written, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for path, (kind, content, mode, owner) in sorted(self._entries.items()):
                entry = tarfile.TarInfo(path)
                entry.type, entry.mode, entry.mtime = kind, mode, self._created
                entry.uid = entry.gid = owner
                if kind == tarfile.SYMTYPE:
                    entry.linkname = content
                    tar.addfile(entry)
                else:
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
        return written.getvalue()


class Layout:
    """The OCI image layout that is written."""

    def __init__(self, directory):
        self._blobs = directory / "blobs" / "sha256"
        self._blobs.mkdir(parents=True)
        self._directory = directory

    def add(self, media_type, content, **fields):
        digest = hashlib.sha256(content).hexdigest()
        (self._blobs / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content), **fields}

    def add_json(self, media_type, value, **fields):
        return self.add(media_type, json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), **fields)

    def finish(self, manifests):
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests,
                 "annotations": dict([MARKER])}
        (self._directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        (self._directory / "index.json").write_text(json.dumps(index, sort_keys=True, separators=(",", ":")))


def stripped(program):
    """The program without its symbols."""
    with tempfile.TemporaryDirectory() as directory:
        copy = os.path.join(directory, "program")
        run("strip", "--strip-all", "-o", copy, str(program))
        return pathlib.Path(copy).read_bytes()


def make_libraries(programs, created):
    """The layer of all that is not ours, and its Debian packages."""
    layer = Layer(created)
    # As in Debian: the loader's path in the programs begins with /lib64.
    for name in ("bin", "lib", "lib64", "sbin"):
        if os.path.islink(f"/{name}"):
            layer.add_directory(f"usr/{name}")
            layer.add_link(name, f"usr/{name}")
    libraries = libraries_of(programs)
    for path, file in libraries.items():
        first = path.split("/")[0]
        place = f"usr/{path}" if os.path.islink(f"/{first}") else path
        layer.add(place, pathlib.Path(file).read_bytes(), 0o755)
    for path in (CERTIFICATES, OS_RELEASE):
        layer.add(path, pathlib.Path("/", path).read_bytes())
    layer.add_link("etc/os-release", "../usr/lib/os-release")
    packages = packages_of(set(libraries.values()) | {f"/{OS_RELEASE}", "/usr/sbin/update-ca-certificates"})
    # Scanners of images find the packages there.
    for package in packages:
        layer.add(f"var/lib/dpkg/status.d/{package['name']}", package["paragraph"].encode())
    return layer, packages


def make_programs(programs, created):
    """The layer of our programs and files."""
    layer = Layer(created)
    for program in programs:
        layer.add(f"usr/bin/{program.name}", stripped(program), 0o755)
    for path, content in FILES.items():
        layer.add(path, content.encode())
    layer.add_directory("tmp", 0o1777)
    layer.add_directory(DATA, 0o700, USER)
    return layer


def sbom_of(packages, version, created, image_digest):
    """An SPDX document."""
    time = created_text(created)

    def package(name, spdx_id, version, url):
        return {"SPDXID": spdx_id, "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
                "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
                "copyrightText": "NOASSERTION",
                "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": url}]}

    described = [package("entrepot", "SPDXRef-entrepot", version, f"pkg:generic/entrepot@{version}")]
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                  "relatedSpdxElement": "SPDXRef-entrepot"}]
    for debian in packages:
        spdx_id = "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", debian["name"])
        url = f"pkg:deb/debian/{debian['name'].replace('+', '%2B')}@{debian['version'].replace('+', '%2B')}" \
              f"?arch={debian['architecture']}"
        described.append(package(debian["name"], spdx_id, debian["version"], url) |
                         {"sourceInfo": f"built from {debian['source']} {debian['source_version']}"})
        relations.append({"spdxElementId": "SPDXRef-entrepot", "relationshipType": "DEPENDS_ON",
                          "relatedSpdxElement": spdx_id})
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "entrepot",
            "documentNamespace": f"https://entrepot.invalid/spdx/{image_digest.removeprefix('sha256:')}",
            "creationInfo": {"created": time, "creators": ["Tool: scripts/image"]},
            "packages": described, "relationships": relations}


def created_text(created):
    return datetime.datetime.fromtimestamp(created, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_image(directory, arguments):
    programs = [pathlib.Path(arguments.programs, name) for name in PROGRAMS]
    layout = Layout(directory)
    libraries, packages = make_libraries(programs, arguments.created)
    layers, diff_ids = [], []
    for layer in (libraries, make_programs(programs, arguments.created)):
        tar = layer.tar()
        diff_ids.append(f"sha256:{hashlib.sha256(tar).hexdigest()}")
        layers.append(layout.add("application/vnd.oci.image.layer.v1.tar+gzip", gzip.compress(tar, GZIP_LEVEL, mtime=0)))
    labels = {"org.opencontainers.image.title": "entrepot",
              "org.opencontainers.image.description": "An OCI container registry",
              "org.opencontainers.image.version": arguments.version,
              "org.opencontainers.image.created": created_text(arguments.created)}
    if arguments.revision:
        labels["org.opencontainers.image.revision"] = arguments.revision
    architecture = run("dpkg", "--print-architecture").strip()
    config = layout.add_json("application/vnd.oci.image.config.v1+json", {
        "architecture": architecture, "os": "linux", "created": created_text(arguments.created),
        "config": {"User": f"{USER}:{USER}", "Env": ["PATH=/usr/bin"], "WorkingDir": f"/{DATA}",
                   "Cmd": ["entrepot", "--config=/etc/entrepot/standalone.yaml"], "Labels": labels,
                   "ExposedPorts": {"5000/tcp": {}, "5001/tcp": {}}, "Volumes": {f"/{DATA}": {}},
                   "StopSignal": "SIGTERM"},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": created_text(arguments.created), "created_by": f"scripts/image: {what}"}
                    for what in ("libraries", "programs")]})
    manifest_type = "application/vnd.oci.image.manifest.v1+json"
    image = layout.add_json(manifest_type, {"schemaVersion": 2, "mediaType": manifest_type, "config": config,
                                            "layers": layers, "annotations": labels})
    spdx = "application/spdx+json"
    sbom_blob = layout.add_json(spdx, sbom_of(packages, arguments.version, arguments.created, image["digest"]),
                                annotations={"org.opencontainers.image.title": "sbom.spdx.json"})
    sbom = layout.add_json(manifest_type, {
        "schemaVersion": 2, "mediaType": manifest_type, "artifactType": spdx,
        "config": layout.add("application/vnd.oci.empty.v1+json", b"{}"), "layers": [sbom_blob], "subject": image,
        "annotations": {"org.opencontainers.image.created": created_text(arguments.created)}})
    layout.finish([image | {"annotations": {"org.opencontainers.image.ref.name": "entrepot"},
                            "platform": {"architecture": architecture, "os": "linux"}},
                   sbom | {"artifactType": spdx}])
    size = sum(layer["size"] for layer in layers)
    print(f"{image['digest']}  {arguments.output}, {architecture}, {size / 2**20:.1f} MiB compressed, "
          f"{len(packages)} Debian packages")


def is_replaceable(output):
    """Whether nothing of others is lost with it: it is empty, or was made by this script."""
    if not output.is_dir() or output.is_symlink():
        return False
    names = {entry.name for entry in output.iterdir()}
    try:
        index = json.loads((output / "index.json").read_text()) if names else None
    except (OSError, ValueError):
        return False
    if index is None:
        return True
    annotations = index.get("annotations") if isinstance(index, dict) else None
    return names == {"blobs", "index.json", "oci-layout"} and isinstance(annotations, dict) \
        and annotations.get(MARKER[0]) == MARKER[1]


def main():
    parser = argparse.ArgumentParser(prog="scripts/image")
    parser.add_argument("--programs", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--revision", required=True)
    parser.add_argument("--created", required=True, type=int)
    arguments = parser.parse_args()
    output = pathlib.Path(arguments.output)
    if os.path.lexists(output) and not is_replaceable(output):
        fail(f"{output} was not made by scripts/image: remove it, or name another directory")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".image-") as directory:
        made = pathlib.Path(directory, "image")
        write_image(made, arguments)
        made.chmod(made.stat().st_mode | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
        if output.exists():
            shutil.rmtree(output)
        made.rename(output)


if __name__ == "__main__":
    main()

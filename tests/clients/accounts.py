"""Real clients with a credential, each behind the same methods:

    login(name, password)
    push(layout, image, repository, tag)     pushes an image of Images.small
    pull(repository, tag)
    copy(repository, tag, other_repository)  so that the client mounts the blobs if it can
    delete(repository, tag)

Each method returns the output of the client, and expects the command to fail if it gets ok=False. Each instance has its
own home directory, and trusts the CA of the registry's certificate (docker trusts every certificate of the loopback
address).
"""

import functools
import tarfile

from clients.container_storage import container_storage
from clients.docker_engine import docker_engine
from fixtures.process import Process
from fixtures.tools import go_tool


class _Client:
    can_delete = True
    # Whether its output contains the error message of a refused manifest.
    shows_error_message = True

    def __init__(self, registry, run, home, stack):
        home.mkdir(parents=True)
        (home / "docker").mkdir()
        (home / "auth.json").write_text("{}")
        self.host = registry.address
        self.home = home
        self.certificates = home / "certificates"
        self.certificates.mkdir()
        (self.certificates / "ca.crt").write_bytes(registry.ca.read_bytes())
        self.env = {
            "HOME": str(home),
            "DOCKER_CONFIG": str(home / "docker"),
            "REGISTRY_AUTH_FILE": str(home / "auth.json"),
            "SSL_CERT_FILE": str(registry.ca),
        }
        self._run = run
        self._stack = stack
        self.start()

    def start(self):
        pass

    def run(self, *argv, **options):
        return self._run(*argv, env=self.env, **options)

    def reference(self, repository, tag):
        return f"{self.host}/{repository}:{tag}"


class Crane(_Client):
    def start(self):
        self.crane = functools.partial(self.run, go_tool("crane"))

    def login(self, name, password, ok=True):
        """crane only stores the credential; a wrong one fails at the next request."""
        output = self.crane("auth", "login", self.host, "-u", name, "--password-stdin", input=password)
        return output if ok else self.pull("driftwood/none", "v1", ok=False)

    def push(self, layout, image, repository, tag, ok=True):
        return self.crane("push", layout.directory, self.reference(repository, tag), ok=ok)

    def pull(self, repository, tag, ok=True):
        return self.crane("pull", self.reference(repository, tag), self.home / "pulled.tar", ok=ok)

    def copy(self, repository, tag, other, ok=True):
        return self.crane("copy", self.reference(repository, tag), self.reference(other, tag), ok=ok)

    def delete(self, repository, tag, ok=True):
        return self.crane("delete", self.reference(repository, tag), ok=ok)


class Oras(_Client):
    def start(self):
        self.oras = functools.partial(self.run, go_tool("oras"))

    def login(self, name, password, ok=True):
        return self.oras("login", self.host, "-u", name, "--password-stdin", input=password, ok=ok)

    def push(self, layout, image, repository, tag, ok=True):
        source = f"{layout.directory}:{image}"
        return self.oras("cp", "--from-oci-layout", source, self.reference(repository, tag), ok=ok)

    def pull(self, repository, tag, ok=True):
        target = f"{self.home}/pulled:{tag}"
        return self.oras("cp", self.reference(repository, tag), "--to-oci-layout", target, ok=ok)

    def copy(self, repository, tag, other, ok=True):
        return self.oras("cp", self.reference(repository, tag), self.reference(other, tag), ok=ok)

    def delete(self, repository, tag, ok=True):
        return self.oras("manifest", "delete", "--force", self.reference(repository, tag), ok=ok)


class Regctl(_Client):
    def start(self):
        self.env["REGCTL_CONFIG"] = str(self.home / "regctl.json")
        self.regctl = functools.partial(self.run, go_tool("regctl"))

    def login(self, name, password, ok=True):
        return self.regctl("registry", "login", self.host, "-u", name, "--pass-stdin", input=password, ok=ok)

    def push(self, layout, image, repository, tag, ok=True):
        source = f"ocidir://{layout.directory}:{image}"
        return self.regctl("image", "copy", source, self.reference(repository, tag), ok=ok)

    def pull(self, repository, tag, ok=True):
        target = f"ocidir://{self.home}/pulled:{tag}"
        return self.regctl("image", "copy", self.reference(repository, tag), target, ok=ok)

    def copy(self, repository, tag, other, ok=True):
        return self.regctl("image", "copy", self.reference(repository, tag), self.reference(other, tag), ok=ok)

    def delete(self, repository, tag, ok=True):
        return self.regctl("tag", "delete", self.reference(repository, tag), ok=ok)


class Podman(_Client):
    """Deletes with skopeo, which uses podman's login."""

    def start(self):
        self.env.update(self._stack.enter_context(container_storage(self.home / "storage")))
        self.podman = functools.partial(self.run, "podman", "--cgroup-manager=cgroupfs", "--events-backend=none")
        self.trust = f"--cert-dir={self.certificates}"

    def login(self, name, password, ok=True):
        return self.podman("login", self.trust, "-u", name, "--password-stdin", self.host, input=password, ok=ok)

    def push(self, layout, image, repository, tag, ok=True):
        image_id = self.podman("pull", "--quiet", f"oci:{layout.directory}:{image}").split()[-1]
        return self.podman("push", self.trust, image_id, self.reference(repository, tag), ok=ok)

    def pull(self, repository, tag, ok=True):
        return self.podman("pull", self.trust, self.reference(repository, tag), ok=ok)

    def copy(self, repository, tag, other, ok=True):
        self.pull(repository, tag)
        return self.podman("push", self.trust, self.reference(repository, tag), self.reference(other, tag), ok=ok)

    def delete(self, repository, tag, ok=True):
        return self.run("skopeo", "delete", self.trust, f"docker://{self.reference(repository, tag)}", ok=ok)


class Docker(_Client):
    can_delete = False

    def start(self):
        engine = docker_engine(self.home / "engine", self.run)
        self.docker = self._stack.enter_context(engine)

    def login(self, name, password, ok=True):
        return self.docker("login", "-u", name, "--password-stdin", self.host, input=password, ok=ok)

    def push(self, layout, image, repository, tag, ok=True):
        archive = self.home / "image.tar"
        loaded = f"localhost/{image}:loaded"
        self.run("skopeo", "--insecure-policy", "copy", f"oci:{layout.directory}:{image}",
                 f"docker-archive:{archive}:{loaded}")  # fmt: skip
        self.docker("load", "--input", archive)
        archive.unlink()
        self.docker("tag", loaded, self.reference(repository, tag))
        return self.docker("push", self.reference(repository, tag), ok=ok)

    def pull(self, repository, tag, ok=True):
        return self.docker("pull", self.reference(repository, tag), ok=ok)

    def copy(self, repository, tag, other, ok=True):
        self.pull(repository, tag)
        self.docker("tag", self.reference(repository, tag), self.reference(other, tag))
        return self.docker("push", self.reference(other, tag), ok=ok)


class Ctr(_Client):
    """containerd's client, which gets the credential with each command. A refused manifest shows as "closed pipe"."""

    can_delete = shows_error_message = False

    def start(self):
        directory = self.home / "containerd"
        directory.mkdir()
        config = directory / "config.toml"
        config.write_text(
            f'version = 2\nroot = "{directory}/root"\nstate = "{directory}/state"\n'
            'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
            f'[grpc]\naddress = "{directory}/s"\n[ttrpc]\naddress = "{directory}/t"\n'
        )
        hosts = directory / "hosts" / self.host
        hosts.mkdir(parents=True)
        ca = self.certificates / "ca.crt"
        url = f"https://{self.host}"
        (hosts / "hosts.toml").write_text(f'server = "{url}"\n[host."{url}"]\nca = "{ca}"\n')
        self.ctr = functools.partial(self.run, "ctr", f"--address={directory}/s")
        process = Process("containerd", ["/usr/bin/containerd", "--config", config], self._is_ready, directory / "log")
        process.launch()
        self._stack.callback(process.terminate)
        process.wait_ready()
        self._options = [f"--hosts-dir={directory}/hosts"]

    def _is_ready(self):
        try:
            self.ctr("version")
            return True
        except AssertionError:
            return False

    def login(self, name, password, ok=True):
        self._options = [self._options[0], "--user", f"{name}:{password}"]
        return "" if ok else self.pull("driftwood/none", "v1", ok=False)

    def push(self, layout, image, repository, tag, ok=True):
        with tarfile.open(self.home / "layout.tar", "w") as tar:
            tar.add(layout.directory, ".")
        self.ctr("images", "import", "--all-platforms", "--no-unpack", "--base-name=test", self.home / "layout.tar")
        return self._push(f"test:{image}", self.reference(repository, tag), ok)

    def _push(self, image, target, ok):
        self.ctr("images", "tag", "--force", image, target)
        return self.ctr("images", "push", *self._options, target, ok=ok)

    def pull(self, repository, tag, ok=True):
        return self.ctr("content", "fetch", *self._options, self.reference(repository, tag), ok=ok)

    def copy(self, repository, tag, other, ok=True):
        self.pull(repository, tag)
        return self._push(self.reference(repository, tag), self.reference(other, tag), ok)


ALL = {client.__name__.lower(): client for client in (Crane, Oras, Regctl, Podman, Docker, Ctr)}

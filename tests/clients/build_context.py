"""The input of `docker build` and `buildah build`: a Debian root file system, a program and a settings file."""

import os
import shutil


class BuildContext:
    """A directory whose Dockerfile has three layers: a file system, a program and settings. change_program() changes the
    second, each change_a_line() the third."""

    def __init__(self, directory, base_tar):
        self.directory = directory
        directory.mkdir()
        try:
            os.link(base_tar, directory / "base.tar")
        except OSError:  # It is on another file system.
            shutil.copyfile(base_tar, directory / "base.tar")
        self.change_program()
        self._settings = directory / "settings.yaml"
        self._changes = 0
        self._write_settings()
        (directory / "Dockerfile").write_text(
            "FROM scratch\n"
            "ADD base.tar /\n"
            "COPY program /usr/local/bin/program\n"
            "COPY settings.yaml /etc/program.yaml\n"
            'CMD ["/usr/local/bin/program"]\n'
        )

    def change_program(self):
        (self.directory / "program").write_bytes(os.urandom(3 << 20))

    def change_a_line(self):
        self._changes += 1
        self._write_settings()

    def _write_settings(self):
        changed = {500: self._changes}
        self._settings.write_text("".join(f"line{n}: {changed.get(n, 0)}\n" for n in range(1000)))

"""The input of `docker build` and `buildah build`: a Debian root file system, a program and a settings file."""

import os
import shutil


class BuildContext:
    """A directory whose Dockerfile has three layers; change_a_line() changes the last."""

    def __init__(self, directory, base_tar):
        self.directory = directory
        directory.mkdir()
        try:
            os.link(base_tar, directory / "base.tar")
        except OSError:  # It is on another file system.
            shutil.copyfile(base_tar, directory / "base.tar")
        (directory / "program").write_bytes(os.urandom(3 << 20))
        self._settings = directory / "settings.yaml"
        self._settings.write_text("".join(f"line{n}: 1\n" for n in range(1000)))
        (directory / "Dockerfile").write_text(
            "FROM scratch\n"
            "ADD base.tar /\n"
            "COPY program /usr/local/bin/program\n"
            "COPY settings.yaml /etc/program.yaml\n"
            'CMD ["/usr/local/bin/program"]\n'
        )

    def change_a_line(self):
        self._settings.write_text(self._settings.read_text().replace("line500: 1", "line500: 2"))

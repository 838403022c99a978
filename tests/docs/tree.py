"""The repository's files, as the checks of the documents see them."""

import functools
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Tree:
    """Files by their path from the root. The checks take one, so that their own tests can give them a small one."""

    def __init__(self, root, files):
        self.root = pathlib.Path(root)
        self.files = frozenset(files)
        self.folders = frozenset(str(parent) for file in files for parent in pathlib.PurePath(file).parents) - {"."}
        self._by_name = {}
        for file in self.files | self.folders:
            self._by_name.setdefault(file.rpartition("/")[2], []).append(file)

    def text(self, file):
        return (self.root / file).read_text(encoding="utf-8")

    def has(self, path):
        path = path.rstrip("/")
        return path in self.files or path in self.folders

    def ending_with(self, path):
        """The files and folders whose path ends with the segments of `path`."""
        named = self._by_name.get(path.rpartition("/")[2], [])
        return [file for file in named if file == path or file.endswith("/" + path)]

    def matching(self, *suffixes):
        return sorted(file for file in self.files if file.endswith(suffixes))

    def sources(self, *suffixes):
        """C++ below services/ and gateway/, without the tests."""
        suffixes = suffixes or (".cc", ".h")
        tests = ("_test.cc", "_test_process.cc")
        return [
            file
            for file in self.matching(*suffixes)
            if file.startswith(("services/", "gateway/")) and not file.endswith(tests) and "/testing/" not in file
        ]


@functools.lru_cache(None)
def repository():
    """Every file that is in version control, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return Tree(ROOT, [file for file in listed.split("\0") if file and (ROOT / file).is_file()])


def assert_none(wrong):
    """Fails with every line of what is wrong, which pytest would cut."""
    assert not wrong, "\n".join(["", *wrong])

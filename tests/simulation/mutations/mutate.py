"""mutate.py MUTATION SOURCE OUT: writes SOURCE to OUT with a mistake in it.

A mutation names the file that it is of in its first line; then come what stands there and what is put in its place,
once or several times:

    services/manifest/catalog/blob_commit.cc
    <<<<
      what stands there
    ====
      what is put in its place
    >>>>

What stands there must stand there exactly once: a mutation whose source has changed fails the build, and is mended.
"""

import re
import sys


def main(mutation_path, source_path, out_path):
    with open(mutation_path, encoding="utf-8") as file:
        mutation = file.read()
    with open(source_path, encoding="utf-8") as file:
        source = file.read()
    name, _, rest = mutation.partition("\n")
    if not source_path.endswith(name):
        sys.exit(f"{mutation_path} is of {name}, not of {source_path}")
    changes = re.findall(r"^<<<<\n(.*?)^====\n(.*?)^>>>>\n", rest, flags=re.MULTILINE | re.DOTALL)
    if not changes or len(changes) != rest.count("<<<<\n"):
        sys.exit(f"{mutation_path} cannot be read")
    for before, after in changes:
        found = source.count(before)
        if found != 1:
            sys.exit(f"{mutation_path}: this stands in {name} {found} times instead of once:\n{before}")
        source = source.replace(before, after)
    with open(out_path, "w", encoding="utf-8") as file:
        file.write(source)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""mutate.py MUTATION SOURCE OUT: writes SOURCE to OUT with a mistake in it.

The first line of a mutation is the path of the source. Then come one or more replacements:

    services/manifest/catalog/blob_commit.cc
    <<<<
      the original text
    ====
      its replacement
    >>>>

The original text must occur exactly once in the source. If the source has changed, the build fails, and the mutation must
be updated.
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
        sys.exit(f"{mutation_path} is for {name}, not for {source_path}")
    changes = re.findall(r"^<<<<\n(.*?)^====\n(.*?)^>>>>\n", rest, flags=re.MULTILINE | re.DOTALL)
    if not changes or len(changes) != rest.count("<<<<\n"):
        sys.exit(f"{mutation_path} cannot be parsed")
    for before, after in changes:
        found = source.count(before)
        if found != 1:
            sys.exit(f"{mutation_path}: this text occurs in {name} {found} times instead of once:\n{before}")
        source = source.replace(before, after)
    with open(out_path, "w", encoding="utf-8") as file:
        file.write(source)


if __name__ == "__main__":
    main(*sys.argv[1:])

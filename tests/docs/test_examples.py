"""The example configurations have every field, and no unknown one."""

from docs import examples, messages
from docs.tree import assert_none, repository


def read():
    files = [f"entrepot/config/v1/{name}.proto" for name in examples.EXAMPLES]
    described = messages.describe(*files)
    tree = repository()
    texts = {name: tree.text(f"examples/{name}.yaml") for name in examples.EXAMPLES}
    known = {name: messages.paths_of(described, message) for name, message in examples.EXAMPLES.items()}
    return texts, known


def test_every_field_is_in_an_example():
    texts, known = read()
    assert "limits.deletes_disabled" in known["standalone"]
    assert_none(examples.compare(texts, known))


# ----------------------------------------------------------------------------------------------------------------------
# The check finds what is wrong.

A = """
# A comment: with a colon, and another one.
listen: # more
  port: 5000
  # tls: # read again
  #   file: /etc/x
limits:
  gone: 1
list:
  - first: 1
    second: a
  # - third: b
  - plain
# peer: as above
# log and drain: as in b.yaml
# other: as in c.yaml
"""
B = """
log:
  level: info
drain: 25s
"""
KNOWN_A = {"listen.port", "listen.tls.file", "listen.tls.key", "limits.max", "peer.x", "peer.y", "log.level", "drain", "other"}
KNOWN_A |= {"list.first", "list.second", "list.third"}


def test_finds_fields_that_are_missing_or_unknown():
    assert examples.compare({"a": A, "b": B}, {"a": KNOWN_A, "b": {"log.level", "drain"}}) == [
        "a.yaml: there is no field limits.gone",
        "a.yaml: there is no c.yaml",
        "a.yaml: lacks limits.max",
        "a.yaml: lacks listen.tls.key",
        "a.yaml: lacks other",
    ]


def test_finds_what_an_example_would_lack():
    texts, known = read()
    texts["standalone"] = texts["standalone"].replace("  connections_max: 4096\n", "  connections_maximum: 4096\n")
    found = examples.compare(texts, known)
    assert "standalone.yaml: there is no field limits.connections_maximum" in found
    assert "standalone.yaml: lacks limits.connections_max" in found
    assert "gateway.yaml: lacks limits.connections_max" in found

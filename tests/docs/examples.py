"""examples/*.yaml against the messages of the configuration.

A field may be commented out: "# tls:" counts as well as "tls:". A comment that says "FIELD, FIELD and FIELD: as in
OTHER.yaml" takes these fields, with all below them, from that example; a value "as above" or "as in FIELD" after a
field's name, in a comment, stands for all of its fields.
"""

import re

EXAMPLES = {
    "standalone": ".entrepot.config.v1.StandaloneConfig",
    "gateway": ".entrepot.config.v1.GatewayConfig",
    "blob": ".entrepot.config.v1.BlobServiceConfig",
    "manifest": ".entrepot.config.v1.ManifestServiceConfig",
    "auth": ".entrepot.config.v1.AuthServiceConfig",
    "upstream": ".entrepot.config.v1.UpstreamServiceConfig",
    "upstreams": ".entrepot.config.v1.Upstreams",
}
# Refused by the checks of the configuration: they are for gRPC only.
NEVER = re.compile(r"^operator\.(tls\.|connections_max$)")
FIELD = re.compile(r"^([a-z][a-z0-9_]*):(?:\s+(.*))?$")
DELEGATED = re.compile(r"^# ([a-z_]+(?:, [a-z_]+)*(?: and [a-z_]+)?): as in (\w+)\.yaml$")


def fields_of(text):
    """-> (paths of all keys, commented out or not; {field: example} of what another example has)"""
    paths, elsewhere, stack = [], {}, []
    for line in text.split("\n"):
        if delegated := DELEGATED.match(line.strip()):
            elsewhere.update(dict.fromkeys(re.split(r", | and ", delegated[1]), delegated[2]))
            continue
        indent = len(line) - len(line.lstrip(" "))
        rest = line.strip()
        if rest.startswith("#"):
            # "  #   key:" is a key of the level four.
            commented = rest[1:]
            indent += max(0, len(commented) - len(commented.lstrip(" ")) - 1)
            rest = commented.strip()
        if rest.startswith("- "):
            # The first field of an item of a list stands beside the item's other fields.
            indent += len(rest) - len(rest[1:].lstrip(" "))
            rest = rest[1:].strip()
        field = FIELD.match(rest)
        if not field:
            continue
        value = field[2] or ""
        while stack and stack[-1][0] >= indent:
            stack.pop()
        stack.append((indent, field[1]))
        path = ".".join(name for _, name in stack)
        whole = re.match(r"(# )?(as above|as in \w+)\b", value)
        paths.append((path, bool(whole)))
    return paths, elsewhere


def _leaves(path, is_whole, known):
    if path in known:
        return {path}
    below = {field for field in known if field.startswith(path + ".")}
    return below if is_whole else set()


def compare(texts, known):
    """`texts`: {example: its text}; `known`: {example: the paths of all its fields}."""
    wrong, shown = [], {}
    for example, text in texts.items():
        paths, _ = fields_of(text)
        shown[example] = set()
        for path, is_whole in paths:
            if path not in known[example] and not any(field.startswith(path + ".") for field in known[example]):
                wrong.append(f"{example}.yaml: there is no field {path}")
            shown[example] |= _leaves(path, is_whole, known[example])
    for example, text in texts.items():
        _, elsewhere = fields_of(text)
        for field, other in elsewhere.items():
            if other not in texts:
                wrong.append(f"{example}.yaml: there is no {other}.yaml")
                continue
            shown[example] |= {p for p in shown[other] & known[example] if p == field or p.startswith(field + ".")}
        for path in sorted(known[example] - shown[example]):
            if not NEVER.match(path):
                wrong.append(f"{example}.yaml: lacks {path}")
    return wrong

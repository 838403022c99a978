"""The settings of docs/reverse-proxies.md, as a reader copies them."""

import re

from fixtures.registry import ROOT

_GUIDE = ROOT / "docs" / "reverse-proxies.md"


def settings(heading, number=0):
    """The code block with that number below the heading."""
    section = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ [A-Z]|\Z)", _GUIDE.read_text(), re.M | re.S)
    assert section, f"{_GUIDE} has no heading {heading!r}"
    return re.findall(r"^```\w+\n(.*?)^```", section.group(1), re.M | re.S)[number]


def adapt(text, replacements):
    """The settings with this machine's ports and paths. Each text to replace must be there."""
    for old, new in replacements.items():
        assert old in text, f"{_GUIDE}: the settings have no {old!r}"
        text = text.replace(old, str(new))
    return text

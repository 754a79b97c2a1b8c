"""Which safeguards a well-known check is evidence for, where the document doesn't say: crosswalk.json."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_CONFIG_RULE = re.compile(r"(?:securityhub-)?([a-z0-9-]+?)(?:-conformance-pack-[a-z0-9]+|-[0-9a-f]{6,8})?")


@cache
def crosswalk() -> Mapping[str, tuple[str, ...]]:
    """Citations by check id, in lower case."""
    data = json.loads((Path(__file__).parent / "crosswalk.json").read_text(encoding="utf-8"))
    return {
        name.lower(): tuple(citations)
        for table in data["checks"].values()
        for name, citations in table.items()
    }


def look_up(*names: str) -> tuple[str, ...]:
    """The citations of the first name that is in the crosswalk, () where none is."""
    for name in names:
        found = crosswalk().get(name.lower()) or crosswalk().get(_rule_name(name.lower()))
        if found:
            return found
    return ()


def _rule_name(name: str) -> str:
    """A Config rule's own name out of what Security Hub or a conformance pack calls it."""
    match = _CONFIG_RULE.fullmatch(name.rpartition("/")[2])
    return match[1] if match else ""

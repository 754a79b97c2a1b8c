"""IAM condition blocks, evaluated as AWS does.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Multivalued context keys".
A context maps lower-case key names to the tuple of values that the request carries; a key that the
request does not carry is absent.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

Context = Mapping[str, tuple[str, ...]]
Matcher = Callable[[str, str], bool]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERALS = {"*": "[*]", "?": "[?]", "$": "$"}


class MalformedCondition(ValueError):
    """A condition block that AWS would have refused when the policy was written."""


def wildcard_match(value: str, pattern: str) -> bool:
    """IAM wildcards: ``*`` and ``?`` only; a bracket is a bracket."""
    return _compiled(pattern.replace("[", "[[]")).match(value) is not None


# fnmatch itself remembers 256 patterns; one role policy may hold more.
@lru_cache(maxsize=8192)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))


def _escaped_match(value: str, pattern: str) -> bool:
    return _compiled(pattern).match(value) is not None


def as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _arn_match(value: str, pattern: str) -> bool:
    # Each of the six parts is matched on its own, so that * never reaches over a colon before the resource.
    values, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(values) == len(patterns) == 6 and all(map(wildcard_match, values, patterns))


def _instant(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()


def _in_network(value: str, network: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(network, strict=False)


def _case_free(value: str, wanted: str) -> bool:
    return value.casefold() == wanted.casefold()


_POSITIVE: dict[str, Matcher] = {
    "stringequals": lambda value, wanted: value == wanted,
    "stringequalsignorecase": _case_free,
    "stringlike": wildcard_match,
    "arnequals": _arn_match,
    "arnlike": _arn_match,
    "bool": _case_free,
    "binaryequals": lambda value, wanted: value == wanted,
    "ipaddress": _in_network,
    "numericequals": lambda value, wanted: float(value) == float(wanted),
    "numericlessthan": lambda value, wanted: float(value) < float(wanted),
    "numericlessthanequals": lambda value, wanted: float(value) <= float(wanted),
    "numericgreaterthan": lambda value, wanted: float(value) > float(wanted),
    "numericgreaterthanequals": lambda value, wanted: float(value) >= float(wanted),
    "dateequals": lambda value, wanted: _instant(value) == _instant(wanted),
    "datelessthan": lambda value, wanted: _instant(value) < _instant(wanted),
    "datelessthanequals": lambda value, wanted: _instant(value) <= _instant(wanted),
    "dategreaterthan": lambda value, wanted: _instant(value) > _instant(wanted),
    "dategreaterthanequals": lambda value, wanted: _instant(value) >= _instant(wanted),
}
_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}
_WITH_VARIABLES = ("string", "arn")
_WILDCARDED = ("stringlike", "stringnotlike")


class Operator(NamedTuple):
    """One operator as written: ``ForAnyValue:StringNotEqualsIfExists`` taken apart."""

    matcher: Matcher
    negated: bool
    if_exists: bool
    quantifier: str

    def holds_for(self, value: str, wanted: list[str]) -> bool:
        return self.negated != any(self.matcher(value, each) for each in wanted)

    def holds(self, values: tuple[str, ...] | None, wanted: list[str]) -> bool:
        if not values:
            if self.quantifier == "forallvalues":
                return True
            return self.if_exists or (self.negated and self.quantifier != "foranyvalue")
        if self.quantifier == "forallvalues":
            return all(self.holds_for(value, wanted) for value in values)
        if self.quantifier == "foranyvalue" or not self.negated:
            return any(self.holds_for(value, wanted) for value in values)
        return all(self.holds_for(value, wanted) for value in values)


def parse_operator(name: str) -> Operator:
    """Raise MalformedCondition when AWS has no such operator."""
    quantifier, _, rest = name.lower().rpartition(":")
    if_exists = rest.endswith("ifexists")
    base = rest.removesuffix("ifexists")
    negated = base in _NEGATED
    matcher = _POSITIVE.get(_NEGATED.get(base, base))
    if matcher is None or quantifier not in ("", "foranyvalue", "forallvalues"):
        raise MalformedCondition(f"AWS has no condition operator {name!r}")
    if base in _WILDCARDED:
        matcher = _escaped_match
    return Operator(matcher, negated, if_exists, quantifier)


def _substitute(text: str, context: Context, *, wildcards: bool) -> str | None:
    """Fill in policy variables; None when the request lacks one, for then the value matches nothing."""
    missing = False

    def fill(found: re.Match[str]) -> str:
        nonlocal missing
        name, _, default = found.group(1).partition(",")
        if name in _LITERALS:
            return _LITERALS[name] if wildcards else name
        values = context.get(name.strip().lower())
        if not values and not default:
            missing = True
            return ""
        plain = values[0] if values else default.strip().strip("'")
        return re.sub(r"([*?[])", r"[\1]", plain) if wildcards else plain

    template = text.replace("[", "[[]") if wildcards else text
    filled = _VARIABLE.sub(fill, template)
    return None if missing else filled


def _wanted(operator: str, values: Any, context: Context) -> list[str]:
    base = operator.lower().rpartition(":")[2].removesuffix("ifexists")
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in as_list(values)]
    if not base.startswith(_WITH_VARIABLES):
        return texts
    filled = (_substitute(text, context, wildcards=base in _WILDCARDED) for text in texts)
    return [text for text in filled if text is not None]


def _null_holds(values: tuple[str, ...] | None, wanted: Any) -> bool:
    return any((str(each).lower() == "true") == (not values) for each in as_list(wanted))


def condition_holds(block: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Operators and keys are joined by AND, the values of one key by OR (by NOR under a negated operator).

    :raises MalformedCondition: an operator that AWS does not have.
    """
    for name, keys in block.items():
        for key, raw in keys.items():
            values = context.get(key.lower())
            if name.lower() == "null":
                if not _null_holds(values, raw):
                    return False
            elif not parse_operator(name).holds(values, _wanted(name, raw, context)):
                return False
    return True

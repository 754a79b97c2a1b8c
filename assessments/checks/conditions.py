"""Conditions and patterns of IAM policies: what an operator says of a request, and whether it keeps outsiders out.

Semantics: IAM User Guide, "IAM JSON policy elements: Condition operators", "Creating a condition with multiple
keys or values", and for what is public "The meaning of 'public'" in the S3 User Guide.

    covers(pattern, name)          the pattern matches the name; the name may be a pattern itself
    meets(pattern, other)          some name matches both
    parse_conditions(block)        a statement's Condition as a tuple of Condition; ValueError if malformed
    condition.holds(context)       for one request
    condition.narrows(account_id)  an Allow with it is closed to the public
    condition.spares(account_id)   a Deny with it (negated operator) leaves only known callers
    covers_world(cidrs)            together they let in most of the Internet's addresses
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address, ip_network
from typing import Any, NamedTuple

Context = Mapping[str, str | Sequence[str]]
"""A request's condition keys in lower case, with one value or several."""


_WILD = re.compile(r"[*?]")


@lru_cache(maxsize=8192)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Each part takes its first match and keeps it, so that no pattern makes matching slow.

    `?` does not match a `*`, so that a pattern covers another only where every expansion is covered.
    """
    first, *rest = (re.escape(part).replace(r"\?", "[^*]") for part in pattern.split("*"))
    if not rest:
        return re.compile(first, re.DOTALL)
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1] if part)
    return re.compile(f"{first}{middle}.*{rest[-1]}", re.DOTALL)


def covers(pattern: str, name: str) -> bool:
    """Whether a pattern with `*` and `?` matches a name, or everything that another pattern matches."""
    if pattern in ("*", name):
        return True
    wild = _WILD.search(pattern)
    return (
        wild is not None
        and name.startswith(pattern[: wild.start()])
        and _compiled(pattern).fullmatch(name) is not None
    )


@lru_cache(maxsize=8192)
def meets(pattern: str, other: str) -> bool:
    """Whether some name matches both patterns."""
    if not _WILD.search(other):
        return covers(pattern, other)
    if not _WILD.search(pattern):
        return covers(other, pattern)
    reached = [True, *(False for _ in other)]
    for at, char in enumerate(other, 1):
        reached[at] = reached[at - 1] and char == "*"
    for char in pattern:
        reached = _step(reached, char, other)
    return reached[-1]


def _step(reached: list[bool], char: str, other: str) -> list[bool]:
    """From which prefixes of `other` can be met by a pattern, which can be met with one more character of it."""
    now = [reached[0] and char == "*"]
    for at, beside in enumerate(other, 1):
        if "*" in (char, beside):
            now.append(reached[at] or now[at - 1] or (reached[at - 1] and char == beside == "*"))
        else:
            now.append(reached[at - 1] and (char == beside or "?" in (char, beside)))
    return now


def _arn_matches(wanted: str, value: str) -> bool:
    """ARNs match part by part: a `*` does not reach over a colon of the first five."""
    parts, others = wanted.split(":", 5), value.split(":", 5)
    return len(parts) == len(others) and all(map(covers, parts, others))


def _ip_matches(wanted: str, value: str) -> bool:
    address, network = ip_address(value), ip_network(wanted, strict=False)
    return address.version == network.version and address in network


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


_POSITIVE: Mapping[str, Callable[[str, str], bool]] = {
    "stringequals": lambda wanted, value: wanted == value,
    "stringequalsignorecase": lambda wanted, value: wanted.lower() == value.lower(),
    "stringlike": covers,
    "numericequals": lambda wanted, value: float(value) == float(wanted),
    "numericlessthan": lambda wanted, value: float(value) < float(wanted),
    "numericlessthanequals": lambda wanted, value: float(value) <= float(wanted),
    "numericgreaterthan": lambda wanted, value: float(value) > float(wanted),
    "numericgreaterthanequals": lambda wanted, value: float(value) >= float(wanted),
    "dateequals": lambda wanted, value: _moment(value) == _moment(wanted),
    "datelessthan": lambda wanted, value: _moment(value) < _moment(wanted),
    "datelessthanequals": lambda wanted, value: _moment(value) <= _moment(wanted),
    "dategreaterthan": lambda wanted, value: _moment(value) > _moment(wanted),
    "dategreaterthanequals": lambda wanted, value: _moment(value) >= _moment(wanted),
    "bool": lambda wanted, value: wanted.lower() == value.lower(),
    "binaryequals": lambda wanted, value: wanted == value,
    "ipaddress": _ip_matches,
    "arnequals": _arn_matches,
    "arnlike": _arn_matches,
}
_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
}
_PLAIN_EQUALITY = {"stringequals", "stringequalsignorecase", "binaryequals"}


class Condition(NamedTuple):
    """One operator with one key, in lower case. `negated` operators are stored by their positive name."""

    operator: str
    key: str
    values: tuple[str, ...]
    negated: bool = False
    if_exists: bool = False
    quantifier: str = ""

    def holds(self, context: Context) -> bool:
        """Whether the request meets it. Raises ValueError where a value is no number, date or address."""
        if self.operator == "null":
            return (self.key not in context) == (self.values == ("true",))
        if self.key not in context:
            return (
                self.if_exists or self.quantifier == "forallvalues" or (self.negated and not self.quantifier)
            )
        found = context[self.key]
        values = [found] if isinstance(found, str) else list(found)
        match self.quantifier:
            case "forallvalues":
                return all(self._one(value) != self.negated for value in values)
            case "foranyvalue":
                return any(self._one(value) != self.negated for value in values)
        return any(self._one(value) for value in values) != self.negated

    def _one(self, value: str) -> bool:
        matches = _POSITIVE[self.operator]
        return any(matches(wanted, value) for wanted in self.values)

    def narrows(self, account_id: str) -> bool:
        """Whether it admits known callers only. A key that may be missing proves nothing with IfExists."""
        loose = self.negated or self.if_exists or self.quantifier == "forallvalues"
        return not loose and self._names_known(account_id)

    def spares(self, account_id: str) -> bool:
        """Whether, negated, it holds for all but known callers, so that a Deny with it shuts the public out."""
        if self.operator == "bool":
            return self.key in _AWS_ITSELF and self.values == ("false",)
        return self.negated and self.quantifier != "foranyvalue" and self._names_known(account_id)

    @property
    def callers(self) -> tuple[str, ...]:
        """The accounts, organisations, networks or ARNs that it admits."""
        return () if self.negated or self.key not in _KNOWN_CALLER else self.values

    def _names_known(self, account_id: str) -> bool:
        if not self.values or self.operator not in _NAMING:
            return False
        values = [_own_account(value, account_id) for value in self.values]
        if self.key in _IP_KEYS:
            return self.operator == "ipaddress" and not any(map(_is_broad, values))
        known = _KNOWN_CALLER.get(self.key)
        return known is not None and all(known(_literal(self.operator, value)) for value in values)


_NAMING = {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"}
_IP_KEYS = {"aws:sourceip", "aws:vpcsourceip"}
_AWS_ITSELF = {"aws:principalisawsservice"}


def _own_account(value: str, account_id: str) -> str:
    """A variable of the caller is whatever the caller is; the resource's account is ours."""
    value = re.sub(r"\$\{aws:resourceaccount\}", account_id, value, flags=re.IGNORECASE)
    return re.sub(r"\$\{[^}]*\}", "*", value)


def _literal(operator: str, value: str) -> str:
    """In a plain comparison a `*` is a character that no account, organisation or VPC has."""
    return (
        value.replace("*", "-").replace("?", "-") if operator in _PLAIN_EQUALITY and value != "*" else value
    )


def _is_fixed(value: str) -> bool:
    return bool(value) and not re.search(r"[*?]", value)


def _is_anchored(value: str) -> bool:
    """The first part, of an organisation path (o-abc/*) or a user id (AROAEXAMPLE:*), is fixed."""
    return _is_fixed(re.split(r"[/:]", value)[0])


def _is_known_arn(value: str) -> bool:
    """The account is fixed, or where a service's ARNs have none (S3) the name is."""
    parts = value.split(":", 5)
    if len(parts) != 6:  # noqa: PLR2004 (an ARN has six parts)
        return False
    return _is_fixed(parts[4]) or (parts[4] == "" and parts[2] == "s3" and _is_fixed(parts[5].split("/")[0]))


_KNOWN_CALLER: Mapping[str, Callable[[str], bool]] = {
    **dict.fromkeys(
        ("aws:principalaccount", "aws:sourceaccount", "aws:sourceowner", "kms:calleraccount"), _is_fixed
    ),
    **dict.fromkeys(("aws:principalorgid", "aws:sourceorgid", "aws:vpceorgid", "aws:vpceaccount"), _is_fixed),
    **dict.fromkeys(("aws:sourcevpc", "aws:sourcevpce", "s3:dataaccesspointaccount"), _is_fixed),
    **dict.fromkeys(
        ("aws:principalorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths", "aws:userid"), _is_anchored
    ),
    **dict.fromkeys(("aws:principalarn", "aws:sourcearn", "s3:dataaccesspointarn"), _is_known_arn),
}


def parse_conditions(block: Any) -> tuple[Condition, ...]:
    """The conditions of a statement, all of which must hold. Raises ValueError for an operator IAM doesn't have."""
    if block is None:
        return ()
    if not isinstance(block, Mapping) or not all(isinstance(keys, Mapping) for keys in block.values()):
        raise ValueError("Condition is not an object of operators with keys")
    return tuple(
        _condition(operator, key, values) for operator, keys in block.items() for key, values in keys.items()
    )


def _condition(written: str, key: str, values: Any) -> Condition:
    operator = written.lower()
    quantifier, colon, rest = operator.rpartition(":")
    if colon and quantifier not in ("foranyvalue", "forallvalues"):
        raise ValueError(f"{written} is not a condition operator")
    name = rest.removesuffix("ifexists")
    positive = _NEGATED.get(name, name)
    if positive not in _POSITIVE and positive != "null":
        raise ValueError(f"{written} is not a condition operator")
    return Condition(
        positive, key.lower(), _values(values, positive), name in _NEGATED, name != rest, quantifier
    )


def _values(values: Any, operator: str) -> tuple[str, ...]:
    listed = values if isinstance(values, (list, tuple)) else [values]
    if not all(isinstance(value, (str, int, float)) for value in listed):
        raise ValueError("a condition's values are not texts, numbers or booleans")
    texts = (str(value).lower() if isinstance(value, bool) else str(value) for value in listed)
    return tuple(text.lower() if operator in ("bool", "null") else text for text in texts)


_BROADEST = {4: 8, 6: 32}


def _is_broad(cidr: str) -> bool:
    """Wider than S3 takes for a known network (/8, /32), private ranges aside. Not a network: broad."""
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        return True
    return network.prefixlen < _BROADEST[network.version]


_NOT_INTERNET_V4 = [
    IPv4Network(cidr)
    for cidr in ("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3")
]
_INTERNET_V6 = IPv6Network("2000::/3")


def covers_world(cidrs: Iterable[str]) -> bool:
    """Whether the ranges together admit more than half of the Internet's IPv4 or of its IPv6 addresses.

    0.0.0.0/0 can be written as two halves, or with a few addresses left out, and admits strangers all the same.
    Raises ValueError for a text that is not a range.
    """
    networks = [ip_network(cidr, strict=False) for cidr in cidrs]
    four = list(collapse_addresses(net for net in networks if isinstance(net, IPv4Network)))
    six = list(collapse_addresses(net for net in networks if isinstance(net, IPv6Network)))
    internet_v4 = 2**32 - _common(_NOT_INTERNET_V4, [IPv4Network("0.0.0.0/0")])
    open_v4 = sum(net.num_addresses for net in four) - _common(four, _NOT_INTERNET_V4)
    return open_v4 * 2 > internet_v4 or _common(six, [_INTERNET_V6]) * 2 > _INTERNET_V6.num_addresses


def _common(some: Sequence[IPv4Network | IPv6Network], others: Sequence[IPv4Network | IPv6Network]) -> int:
    """The addresses in both of two lists of networks that each do not overlap among themselves."""
    return sum(
        min(one.num_addresses, other.num_addresses) for one in some for other in others if one.overlaps(other)
    )

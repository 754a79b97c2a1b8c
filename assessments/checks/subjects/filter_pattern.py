"""Whether a CloudWatch Logs filter pattern matches an event.

Source: Amazon CloudWatch Logs User Guide, "Filter pattern syntax for metric filters": JSON patterns in braces,
and lists of terms (`term`, `"two words"`, `?either`, `-without`). Of regular expressions (%...%) only plain words are matched: others
can be made to run for hours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from assessments.checks.conditions import covers
from evidence.types import Json

Match = Callable[[Json], bool]

_TOKEN = re.compile(r'\s*(&&|\|\||!=|<=|>=|[(){}=<>]|"(?:[^"\\]|\\.)*"|%[^%]*%|[^\s(){}=<>!&|"]+)')
_REGEX = re.compile(r"%.*[^\w%-].*%")
_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))')


@lru_cache(maxsize=4096)
def matcher(pattern: str) -> Match:
    """The test that a pattern stands for. Raises ValueError for a pattern that cannot be read."""
    text = pattern.strip()
    if not text.startswith("{"):
        return _terms(text)
    tokens = _tokens(text)
    if tokens[-1] != "}":
        raise ValueError("a JSON pattern ends with a brace")
    rest = tokens[1:-1]
    match = _alternatives(rest)
    if rest:
        raise ValueError(f"{rest[0]} is unexpected in a filter pattern")
    return match


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"{text[at:]} is unexpected in a filter pattern")
        found.append(token.group(1))
        at = token.end()
    return found


def _terms(text: str) -> Match:
    found = [(sign, quoted or bare) for sign, quoted, bare in _TERM.findall(text)]
    needed = [term for sign, term in found if not sign]
    either = [term for sign, term in found if sign == "?"]
    unwanted = [term for sign, term in found if sign == "-"]

    def match(event: Json) -> bool:
        said = json.dumps(event)
        some = not either or any(term in said for term in either)
        return some and all(term in said for term in needed) and not any(term in said for term in unwanted)

    return match


def _alternatives(tokens: list[str]) -> Match:
    matches = [_conjunction(tokens)]
    while tokens and tokens[0] == "||":
        tokens.pop(0)
        matches.append(_conjunction(tokens))
    return matches[0] if len(matches) == 1 else lambda event: any(match(event) for match in matches)


def _conjunction(tokens: list[str]) -> Match:
    matches = [_single(tokens)]
    while tokens and tokens[0] == "&&":
        tokens.pop(0)
        matches.append(_single(tokens))
    return matches[0] if len(matches) == 1 else lambda event: all(match(event) for match in matches)


def _next(tokens: list[str]) -> str:
    if not tokens:
        raise ValueError("a filter pattern ends too soon")
    return tokens.pop(0)


def _single(tokens: list[str]) -> Match:
    first = _next(tokens)
    if first == "(":
        match = _alternatives(tokens)
        if _next(tokens) != ")":
            raise ValueError("a parenthesis is not closed in a filter pattern")
        return match
    if not first.startswith("$."):
        raise ValueError(f"{first} is no selector of a filter pattern")
    return _comparison(first[2:].split("."), _next(tokens).upper(), _next(tokens))


def _comparison(path: list[str], operator: str, operand: str) -> Match:
    if operator in ("IS", "NOT"):
        return _existence(path, operator, operand.upper())
    if operator not in _COMPARE:
        raise ValueError(f"{operator} is no operator of a filter pattern")
    if _REGEX.fullmatch(operand):
        raise ValueError(f"the regular expression {operand} is not evaluated")
    compare, wanted = _COMPARE[operator], operand.strip('"')

    def match(event: Json) -> bool:
        value = _value(event, path)
        return value is not None and compare(value, wanted)

    return match


def _existence(path: list[str], operator: str, operand: str) -> Match:
    wanted = {("NOT", "EXISTS"): None, ("IS", "NULL"): None, ("IS", "TRUE"): True, ("IS", "FALSE"): False}
    if (operator, operand) not in wanted:
        raise ValueError(f"{operator} {operand} is no operator of a filter pattern")
    return lambda event: _value(event, path) is wanted[operator, operand]


def _value(event: Json, path: list[str]) -> Any:
    found: Any = event
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _equals(value: Any, wanted: str) -> bool:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if wanted.startswith("%"):
        return wanted.strip("%") in text
    return covers(wanted, text)


def _number(compare: Callable[[float, float], bool]) -> Callable[[Any, str], bool]:
    return lambda value, wanted: isinstance(value, (int, float)) and compare(float(value), float(wanted))


_COMPARE: dict[str, Callable[[Any, str], bool]] = {
    "=": _equals,
    "!=": lambda value, wanted: not _equals(value, wanted),
    "<": _number(lambda one, other: one < other),
    "<=": _number(lambda one, other: one <= other),
    ">": _number(lambda one, other: one > other),
    ">=": _number(lambda one, other: one >= other),
}

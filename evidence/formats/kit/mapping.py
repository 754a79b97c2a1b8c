"""What the columns of a CSV, or the fields of a plain JSON document, mean: saved by a tenant, named at submission."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from evidence.formats.kit.citations import find_citations
from evidence.formats.kit.errors import BadDocument, quoted
from evidence.formats.kit.outcomes import Check, Outcome, Resource, Result, Severity
from evidence.formats.kit.values import parse_time, severity_of

MAX_WORDS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMapping:
    """Field names by what they hold. A field is a CSV's column, or a JSON pointer inside of an item.

    `results` and `severities` say what the source's words mean, compared without regard to case. What has no field
    may have a constant instead: `always` holds those by the same names ({"check": "backup-restored"}). `items` is the
    JSON pointer of the list of items, `schema` what every item must satisfy (JSON Schema 2020-12); CSV has neither.
    """

    result: str = ""
    results: Mapping[str, Result]
    check: str = ""
    title: str = ""
    resource: str = ""
    resource_kind: str = ""
    account: str = ""
    region: str = ""
    severity: str = ""
    severities: Mapping[str, Severity] = field(default_factory=dict)
    time: str = ""
    time_format: str = ""
    citations: str = ""
    message: str = ""
    always: Mapping[str, str] = field(default_factory=dict)
    producer: str = ""
    delimiter: str = ","
    items: str = ""
    schema: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for needed in ("check", "result"):
            if not getattr(self, needed) and not self.always.get(needed):
                raise BadDocument(f"the mapping names no field for {needed}", place="mapping")
        if unknown := set(self.always) - set(FIELDS):
            raise BadDocument(
                f"the mapping's constants have no {quoted(min(unknown))}", place="mapping/always"
            )

    def field_of(self, meaning: str) -> str:
        """The field's name, "" where there is none."""
        return str(getattr(self, meaning))

    @property
    def used(self) -> tuple[str, ...]:
        """The names of all fields that the mapping reads."""
        return tuple(name for meaning in FIELDS if (name := self.field_of(meaning)))


FIELDS = (
    "check", "title", "resource", "resource_kind", "account", "region", "result", "severity", "time", "citations",
    "message",
)  # fmt: skip
_NAMES = {each.name for each in fields(FieldMapping)}
_ORDER = tuple(dict.fromkeys((*FIELDS, *(each.name for each in fields(FieldMapping)))))
_WORD_TABLES: Mapping[str, type[Result | Severity]] = {"results": Result, "severities": Severity}


def mapping_text(data: Mapping[str, Any]) -> str:
    """A saved mapping for people to read, what it names first: a database keeps no order of names."""
    said = {name: data[name] for name in _ORDER if name in data}
    return json.dumps(said, indent=2, ensure_ascii=False)


def mapping_from(data: Any) -> FieldMapping:
    """A mapping from its saved JSON form: the same names. Raises BadDocument with what is wrong and where."""
    if not isinstance(data, Mapping):
        raise BadDocument("an object is expected", place="mapping")
    if unknown := set(data) - _NAMES:
        raise BadDocument(
            f"there is no {quoted(min(unknown))}; there are {', '.join(sorted(_NAMES))}", place="mapping"
        )
    if "results" not in data:
        raise BadDocument("say in `results` what the source's words for a result mean", place="mapping")
    read = {name: _checked(name, value) for name, value in data.items()}
    return FieldMapping(**read)


def _checked(name: str, value: Any) -> Any:
    place = f"mapping/{name}"
    if name in {*_WORD_TABLES, "always", "schema"}:
        if not isinstance(value, Mapping) or (name != "schema" and len(value) > MAX_WORDS):
            raise BadDocument(f"an object with at most {MAX_WORDS} entries is expected", place=place)
        return _words(_WORD_TABLES[name], value, place) if name in _WORD_TABLES else value
    if not isinstance(value, str):
        raise BadDocument("text is expected", place=place)
    if name == "delimiter" and value not in {",", ";", "\t", "|"}:
        raise BadDocument("a delimiter is one of , ; | and tab", place=place)
    return value


def _words(kind: type[Result | Severity], value: Mapping[str, Any], place: str) -> dict[str, Any]:
    try:
        return {word.strip().casefold(): kind(meaning) for word, meaning in value.items()}
    except ValueError as error:
        raise BadDocument(f"a word means one of {', '.join(kind)}", place=place) from error


def map_outcome(mapping: FieldMapping, found: Mapping[str, str], place: str) -> Outcome:
    """An outcome from field values by meaning. Raises BadDocument with the place."""
    values = {**mapping.always, **{meaning: text for meaning, text in found.items() if text}}
    word = values.get("result", "").casefold()
    if word not in mapping.results and word.upper() not in set(Result):
        raise BadDocument(f"the mapping doesn't say what the result {quoted(word)} means", place=place)
    result = mapping.results[word] if word in mapping.results else Result(word.upper())
    return Outcome(
        check=Check(values.get("check", ""), values.get("title", "")),
        result=result,
        resource=_resource(values),
        severity=_severity(mapping, values.get("severity", "")),
        at=_time(mapping.time_format, values.get("time", ""), place),
        citations=find_citations(values.get("citations", "")),
        message=values.get("message", ""),
        place=place,
    )


def _resource(values: Mapping[str, str]) -> Resource | None:
    if not values.get("resource"):
        return None
    return Resource(
        values["resource"],
        kind=values.get("resource_kind", ""),
        account_id=values.get("account", ""),
        region=values.get("region", ""),
    )


def _severity(mapping: FieldMapping, word: str) -> Severity | None:
    return mapping.severities.get(word.casefold()) or severity_of(word)


def _time(form: str, text: str, place: str) -> datetime | None:
    if not text:
        return None
    if not form:
        return parse_time(text, place)
    try:
        parsed = datetime.strptime(text, form)  # noqa: DTZ007  the next line gives it a zone
    except ValueError as error:
        raise BadDocument(f"{quoted(text)} is no time in the form {form}", place=place) from error
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)

"""A document's first bytes, as far as a format needs them to recognise its own."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import ijson
from defusedxml.common import DTDForbidden
from defusedxml.ElementTree import ParseError, iterparse

from evidence.formats.kit.errors import BadDocument

HEAD = 256 * 1024
MAX_NAMES = 5_000
MAX_DEPTH = 100
_SPACE = b" \t\r\n\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first 256 KiB of a document.

    `json`: the first scalar by dotted path, lists as "item", such as {"item.class_uid": 2004}. `element`, `namespace`:
    an XML document's root.
    """

    head: bytes
    name: str = ""
    json: Mapping[str, Any] = field(default_factory=dict)
    element: str = ""
    namespace: str = ""

    @property
    def is_json(self) -> bool:
        """Whether it begins as a JSON object or list."""
        return self.head.lstrip(_SPACE)[:1] in {b"{", b"["}


def look_at_start(stream: BinaryIO, name: str = "") -> Start:
    """Looks, and goes back to the beginning. Raises BadDocument for an XML document with a DTD."""
    stream.seek(0)
    head = stream.read(HEAD)
    stream.seek(0)
    begin = head.lstrip(_SPACE)[:1]
    if begin in {b"{", b"["}:
        return Start(head=head, name=name, json=_names(head))
    if begin == b"<":
        namespace, element = _root(head)
        return Start(head=head, name=name, element=element, namespace=namespace)
    return Start(head=head, name=name)


def _names(head: bytes) -> Mapping[str, Any]:
    """Paths with their first scalar, down to where the head ends or stops being JSON."""
    found: dict[str, Any] = {}
    path: list[str] = []
    # ijson.parse makes paths too, in a time that grows with the square of their depth. Without use_float, the
    # C parser of ijson 3.6 crashes at a number of more than 4,300 digits.
    events = ijson.basic_parse(io.BytesIO(head.lstrip(_SPACE)), multiple_values=True, use_float=True)
    try:
        for event, value in events:
            if event == "map_key":
                path[-1] = value
                found.setdefault(".".join(path), None)
            elif event in {"start_map", "start_array"}:
                path.append("item")
            elif event in {"end_map", "end_array"}:
                path.pop()
            elif found.get(".".join(path)) is None:
                found[".".join(path)] = value
            if len(found) > MAX_NAMES or len(path) > MAX_DEPTH:
                break
    except (ijson.JSONError, ValueError):
        return found
    return found


def _root(head: bytes) -> tuple[str, str]:
    try:
        for _event, element in iterparse(io.BytesIO(head), events=("start",), forbid_dtd=True):
            namespace, _, name = element.tag.rpartition("}")
            return namespace.lstrip("{"), name
    except DTDForbidden as error:
        if error.name.lower() == "html":
            return "", "html"
        raise BadDocument("an XML document with a DTD is not read") from error
    except (ParseError, LookupError, ValueError):
        pass
    return "", ""

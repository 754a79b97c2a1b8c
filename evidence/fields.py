"""Salted leaves: a JSON document whose fields can be withheld one by one, and the rest still proves itself.

A document is cut into leaves of (JSON pointer (RFC 6901), value): every text, number, true, false and null, and
every empty object or list, has its own. In the order of their pointers they are the leaves of a Merkle tree
(RFC 6962) whose root is recorded when the document is sealed:

    salt = HMAC-SHA256(the document's salt, pointer)[:16]
    leaf = SHA-256(0x00 || canonical JSON (RFC 8785) of [salt in hex, pointer, value])

A leaf that is withheld is shown as its hash alone; its own salt keeps anybody from guessing what it hides.
Pure: no database, no clock.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from json.encoder import JSONEncoder
from typing import Any, NamedTuple

import rfc8785

SALT_BYTES = 32
LARGEST_INTEGER = 2**53 - 1
"""The largest integer of RFC 8785; a larger one is written as text."""

_encode = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Leaf(NamedTuple):
    """One field: its pointer, its value (never a filled object or list), its own salt in hex, and its hash."""

    pointer: str
    value: Any
    salt: str
    hash: bytes


def leaves_of(document: Any, salt: bytes) -> list[Leaf]:
    """The document's leaves in the order of their pointers. `document` is what json.loads gives."""
    return [_leaf(pointer, value, salt) for pointer, value in sorted(cut(document), key=_pointer)]


def root_of(document: Any, salt: bytes) -> str:
    """The root over the document's leaves, in hex."""
    return tree_root([leaf.hash for leaf in leaves_of(document, salt)]).hex()


def commitment(salt: bytes, digest: str) -> str:
    """What the log says of a document instead of its SHA-256, which would let guesses of withheld fields be tested.

    SHA-256 of the document's salt and the document's SHA-256 (`digest`, hex), in hex. Who shows the document whole
    shows the salt with it.
    """
    return hashlib.sha256(salt + bytes.fromhex(digest)).hexdigest()


def shown(leaf: Leaf, *, withheld: bool) -> dict[str, Any]:
    """A leaf as a package writes it: the field with its salt, or the hash alone."""
    if withheld:
        return {"leaf": leaf.hash.hex()}
    return {"path": leaf.pointer, "salt": leaf.salt, "value": leaf.value}


def tree_root(hashes: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of leaf hashes (RFC 6962, section 2.1): an odd one moves up as it is."""
    if not hashes:
        return hashlib.sha256().digest()
    level = list(hashes)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
        level = above + level[len(above) * 2 :]
    return level[0]


def _pointer(item: tuple[str, Any]) -> str:
    return item[0]


def cut(document: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """The document's fields, as (pointer, value), in the order of the document."""
    if isinstance(document, dict) and document:
        for name, inner in document.items():
            yield from cut(inner, f"{pointer}/{escaped(name)}")
    elif isinstance(document, list) and document:
        for number, inner in enumerate(document):
            yield from cut(inner, f"{pointer}/{number}")
    else:
        yield pointer, document


def escaped(name: str) -> str:
    """A name as a pointer writes it (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1") if "~" in name or "/" in name else name


def names_in(pointer: str) -> list[str]:
    """The names along a pointer, unescaped."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _leaf(pointer: str, value: Any, salt: bytes) -> Leaf:
    own = hmac.digest(salt, pointer.encode(), "sha256")[:16].hex()
    value = _plain(value)
    return Leaf(pointer, value, own, hashlib.sha256(b"\x00" + canonical([own, pointer, value])).digest())


def canonical(value: list[Any]) -> bytes:
    """Canonical JSON (RFC 8785) of a leaf's three parts."""
    # Python's own encoder, five times as fast, writes the same but for fractions.
    return rfc8785.dumps(value) if isinstance(value[2], float) else _encode(value).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_INTEGER:
        return str(value)
    return value


class Pattern:
    """Which fields to withhold.

    A pointer with `*` for any one name ("/calls/ListBuckets/*/response"), which takes everything below it too, or the
    name of a field wherever it stands ("UserName").
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._names = names_in(text) if text.startswith("/") else None

    def matches(self, pointer: str) -> bool:
        """Whether a leaf's pointer is in the pattern."""
        along = names_in(pointer)
        if self._names is None:
            return self.text in along
        wanted = self._names
        return len(along) >= len(wanted) and all(
            want in ("*", name) for want, name in zip(wanted, along, strict=False)
        )


def any_of(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a pointer is in one of the patterns."""
    made = [Pattern(text) for text in patterns]
    named = {pattern.text for pattern in made if not pattern.text.startswith("/")}
    placed = [pattern for pattern in made if pattern.text.startswith("/")]

    def matches(pointer: str) -> bool:
        return not named.isdisjoint(names_in(pointer)) or any(pattern.matches(pointer) for pattern in placed)

    return matches

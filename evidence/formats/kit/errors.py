"""The one refusal of a document."""

from __future__ import annotations

MAX_SAID = 200
MAX_QUOTED = 60


class BadDocument(Exception):
    """A document can't be read. The message is one line for its sender and never repeats much of the document.

    `place` is where: a JSON pointer, a line, or a file in an archive.
    """

    def __init__(self, problem: str, *, place: str = "") -> None:
        self.problem = problem
        self.place = _short(place)
        super().__init__(f"{self.place}: {problem}" if place else problem)


def _short(text: str) -> str:
    return printable(text if len(text) <= MAX_SAID else f"{text[:MAX_SAID]}...")


def printable(text: str) -> str:
    """Text of a document as it may stand in a message: one line, without control or direction characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def quoted(value: object) -> str:
    """A value of a document in a message, shortened."""
    text = printable(str(value))
    return f'"{text if len(text) <= MAX_QUOTED else text[:MAX_QUOTED] + "..."}"'

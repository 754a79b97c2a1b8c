"""How much a reader may remember of a document while it goes on: some formats tell of a thing long after its name."""

from __future__ import annotations

from evidence.formats.kit.errors import BadDocument

MOST = 64 * 1024 * 1024
"""Characters of one document, each text counted with EACH more for what it takes to keep one."""
EACH = 100


class Room:
    """Room for the texts of one document."""

    def __init__(self) -> None:
        self._left = MOST

    def take(self, *texts: str, place: str) -> None:
        """For texts that are kept until the document ends. Raises BadDocument where there is no more room."""
        self._left -= sum(map(len, texts)) + EACH * len(texts)
        if self._left < 0:
            raise BadDocument(
                f"what other parts of it may refer to comes to more than {MOST // 2**20} MiB: send it in parts",
                place=place,
            )

"""Any file as a document: its kind by its first bytes, and no outcomes. The last resort of recognition."""

from __future__ import annotations

from evidence.formats.base import Format, Reading, Source
from evidence.formats.kit.errors import BadDocument
from evidence.formats.kit.outcomes import Header
from evidence.formats.kit.start import Start, look_at_start

_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (257, b"ustar", "application/x-tar"),
)
_OFFICE: tuple[tuple[bytes, str], ...] = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe")
_ACTIVE = (b"<script", b"<html", b"<svg", b"<!doctype html", b"/javascript", b"<iframe", b"javascript:")
ACTIVE_NOTE = "holds active content, or what another reader may take for it; never to be shown inline"


def read(source: Source) -> Reading:
    """The header tells the kind. Raises BadDocument for programs, and for bytes of no kind that is known."""
    start = look_at_start(source.stream, source.name)
    media_type = kind_of_document(start.head)
    if not media_type:
        raise BadDocument(
            "the file is of no kind that is taken as a document: PDF, image, office file, archive, text"
        )
    notes = (ACTIVE_NOTE,) if is_active(start.head) else ()
    return Reading(Header(title=source.name, media_type=media_type, notes=notes), iter(()))


def kind_of_document(head: bytes) -> str:
    """The media type by magic bytes, "" where none is known. Its name is not asked."""
    if head.startswith(_PROGRAMS):
        return ""
    found = next((kind for at, magic, kind in _KINDS if head[at : at + len(magic)] == magic), "")
    if found == "application/zip":
        return next(
            (kind for name, kind in _OFFICE if name in head and b"[Content_Types].xml" in head), found
        )
    return found or _text_kind(head)


def _text_kind(head: bytes) -> str:
    if not head or b"\0" in head:
        return ""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The head may end inside of a character.
        if error.start < len(head) - 4:
            return ""
        text = head[: error.start].decode("utf-8-sig")
    controls = sum(1 for letter in text if ord(letter) < 32 and letter not in "\t\r\n\f\x1b")  # noqa: PLR2004
    if controls:
        return ""
    begin = text.lstrip().lower()
    if begin.startswith(("<!doctype html", "<html")):
        return "text/html"
    return "image/svg+xml" if begin.startswith("<svg") else "text/plain"


def is_active(head: bytes) -> bool:
    """Whether a browser or a PDF reader may run what stands there, whatever the kind: polyglots too."""
    lower = head.lower()
    return any(word in lower for word in _ACTIVE)


def _recognises(start: Start) -> bool:
    return bool(kind_of_document(start.head))


FORMAT = Format(
    title="Document (PDF, image, office file, text)",
    media_types=("application/pdf", "image/*", "text/plain"),
    recognises=_recognises,
    read=read,
    order=99,
)

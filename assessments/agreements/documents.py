"""Documents of agreements: judged before they are kept, sealed like evidence, never shown in the browser."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from accounts.errors import InvalidInput
from accounts.tenancy.scope import current_tenant_id
from evidence import vault
from evidence.models import Blob

LARGEST = 10 << 20
LARGEST_UNPACKED = 200 << 20
MOST_PARTS = 2000
PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ENDINGS: Mapping[str, str] = MappingProxyType({PDF: "pdf", DOCX: "docx"})


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it was given; its name is only words."""

    name: str
    content: bytes


def seal_document(document: Document) -> Blob:
    """Keeps a PDF or a DOCX in the vault. Raises InvalidInput for anything else."""
    media_type = sniff(document.content)
    sealed = vault.find_blob(document.content)
    if sealed is not None:
        return sealed
    return vault.seal(document.content, tenant_id=current_tenant_id(), media_type=media_type).keep()


def sniff(content: bytes) -> str:
    """The media type, by what the bytes are. Raises InvalidInput."""
    if not content:
        raise _unfit("The file is empty.")
    if len(content) > LARGEST:
        raise _unfit("The file is larger than 10 MB.")
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"PK\x03\x04"):
        _check_docx(content)
        return DOCX
    raise _unfit("This is neither a PDF nor a DOCX.")


def clean_name(name: str) -> str:
    """A file's name without folders and without characters that control or turn text around."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(each for each in last if not unicodedata.category(each).startswith("C"))
    return kept.strip()[-200:]


def _check_docx(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise _unfit("The file can't be read as a DOCX. Save it anew, or as a PDF.") from error
    names = {part.filename for part in parts}
    if not {"[Content_Types].xml", "word/document.xml"} <= names:
        raise _unfit("This is neither a PDF nor a DOCX.")
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise _unfit("The DOCX unpacks to more than 200 MB or 2,000 parts.")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise _unfit("The document holds macros. Save it without them, or as a PDF.")


def _unfit(message: str) -> InvalidInput:
    return InvalidInput(message, field="document")

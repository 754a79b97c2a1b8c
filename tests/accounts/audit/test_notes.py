"""Notes and checkpoints as C2SP writes them, bytes and all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accounts.audit.keys import LocalSigner
from accounts.audit.notes import (
    Checkpoint,
    NoteError,
    encode_vkey,
    key_hash,
    note_text,
    open_note,
    read_checkpoint,
    write_note,
)

SIGNER, OTHER = (
    LocalSigner("a secret of thirty-two characters"),
    LocalSigner("another secret of 32 characters!!"),
)
AT = datetime(2026, 11, 22, 9, 30, 0, 120, tzinfo=UTC)
CHECKPOINT = Checkpoint("surety/5b1ee0c0-0000-7000-8000-000000000001", 7, bytes(range(32)), 2, AT)
TEXT = """surety/5b1ee0c0-0000-7000-8000-000000000001
7
AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
epoch 2
time 2026-11-22T09:30:00.000120Z
"""


def note(text: str = TEXT) -> str:
    return write_note(text, SIGNER.public_key, SIGNER.sign)


def test_a_checkpoint_is_written_and_read_line_by_line():
    assert CHECKPOINT.text() == TEXT
    assert read_checkpoint(TEXT) == CHECKPOINT


def test_a_note_ends_in_a_signature_line_that_names_its_key():
    text, empty, line = note().rpartition("\n\n")
    assert (text + "\n", empty) == (TEXT, "\n\n")
    assert line.startswith("\N{EM DASH} surety ")
    assert line.endswith("\n")
    assert note_text(note()) == open_note(note(), [OTHER.public_key, SIGNER.public_key]) == TEXT


def test_a_vkey_is_name_hash_and_key():
    name, digest, encoded = encode_vkey(SIGNER.public_key).split("+", 2)
    assert (name, digest) == ("surety", key_hash(SIGNER.public_key).hex())
    assert encoded.startswith("A")  # 0x01: Ed25519


@pytest.mark.parametrize(
    "mangle",
    [
        lambda it: it.replace("\n7\n", "\n8\n"),
        lambda it: it.replace("epoch 2", "epoch 3"),
        lambda it: it.replace("\N{EM DASH}", "-"),
        lambda it: it.rpartition("\n\n")[0],
        lambda it: it[:-6] + "AAAA=\n",
        lambda it: it[:-6] + "!!!!!\n",
        lambda _: "",
    ],
)
def test_a_note_that_was_changed_is_refused(mangle):
    with pytest.raises(NoteError):
        open_note(mangle(note()), [SIGNER.public_key])


def test_a_note_of_a_strangers_key_is_refused():
    with pytest.raises(NoteError):
        open_note(note(), [OTHER.public_key])


@pytest.mark.parametrize("text", ["no newline", "an empty\n\nline\n"])
def test_a_text_that_would_not_be_read_back_is_not_signed(text):
    with pytest.raises(NoteError):
        note(text)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("\n7\n", "\n07\n"), TEXT + "more\n", TEXT.replace("epoch", "age"),
        TEXT.replace("time ", ""), TEXT.replace("\n7\n", "\nseven\n"), TEXT.replace("=", ""), "",
    ],
)  # fmt: skip
def test_a_text_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        read_checkpoint(text)

"""Encryption of blobs with Tink's streaming AEAD (AES256_GCM_HKDF_1MB): a fresh key for each, 1 MiB segments."""

from __future__ import annotations

import io
from functools import cache
from typing import BinaryIO

import tink
from tink import proto_keyset_format, secret_key_access, streaming_aead

from evidence.vault.errors import NotIntact

NOT_DECRYPTED = "the stored bytes do not decrypt: they, their key or their place were changed"


@cache
def _register() -> None:
    streaming_aead.register()


def encrypt(plaintext: bytes, context: bytes) -> tuple[bytes, bytes]:
    """The ciphertext and the serialized data key that was made for it. `context` is authenticated with it."""
    sink = _KeptBytes()
    stream, data_key = encrypting(sink, context)
    with stream:
        stream.write(plaintext)
    return sink.kept, data_key


def encrypting(sink: BinaryIO, context: bytes) -> tuple[BinaryIO, bytes]:
    """A stream that encrypts into a sink, which it closes when it is closed, and the data key made for it."""
    _register()
    handle = tink.new_keyset_handle(streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB)
    stream = handle.primitive(streaming_aead.StreamingAead).new_encrypting_stream(sink, context)
    return stream, proto_keyset_format.serialize(handle, secret_key_access.TOKEN)


def decrypting(source: BinaryIO, data_key: bytes, context: bytes) -> BinaryIO:
    """A stream of what a source decrypts to. Reading it raises tink.TinkError where anything doesn't fit."""
    _register()
    handle = proto_keyset_format.parse(data_key, secret_key_access.TOKEN)
    primitive = handle.primitive(streaming_aead.StreamingAead)
    stream: BinaryIO = primitive.new_decrypting_stream(source, context)
    return stream


def decrypt(ciphertext: bytes, data_key: bytes, context: bytes) -> bytes:
    """The plaintext. Raises NotIntact where key, context or any segment doesn't fit."""
    try:
        with decrypting(io.BytesIO(ciphertext), data_key, context) as stream:
            return bytes(stream.read())
    except tink.TinkError as error:
        raise NotIntact(NOT_DECRYPTED) from error


class _KeptBytes(io.BytesIO):
    """Keeps its bytes when the stream that writes to it closes it."""

    kept = b""

    def close(self) -> None:
        if not self.closed:
            self.kept = self.getvalue()
        super().close()

"""The vault: evidence sealed on arrival, written once, verified on every read.

    bytes -> zstd -> Tink streaming AEAD under a fresh data key -> store
                     data key wrapped by the key-encryption key (AWS KMS, or a local key)

The SHA-256 of the plaintext and of the stored bytes stand in the Blob row, since the cipher does not commit to its
key: a swapped key or file is found. What can't be sealed isn't stored; what doesn't verify isn't served.
"""

from evidence.vault.streams import (
    StreamKept,
    open_stream,
    remove_stream,
    seal_stream,
    stream_blob,
    sweep_unfinished,
)
from evidence.vault.vault import Kept, NotIntact, Sealed, find_blob, open_blob, seal, verify_blob

__all__ = [
    "Kept",
    "NotIntact",
    "Sealed",
    "StreamKept",
    "find_blob",
    "open_blob",
    "open_stream",
    "remove_stream",
    "seal",
    "seal_stream",
    "stream_blob",
    "sweep_unfinished",
    "verify_blob",
]

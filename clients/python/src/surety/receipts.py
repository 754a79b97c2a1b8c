"""Whether a receipt is the portal's: its signature (Ed25519, RFC 9864), and that it tells of what it seems to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from surety.answers import Receipt
from surety.errors import ReceiptUnproven, SettingUnfit

ALGORITHMS = ["Ed25519"]
SIGNED = ("id", "sequence", "tenant", "digest", "size")


def verify(receipt: Receipt | str, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """What the portal signed. `jwks` are its receipt keys, kept from before rather than asked for now.

    A Receipt's members are compared with it too. Raises ReceiptUnproven; SettingUnfit without joserfc, or where `jwks`
    is no key set.
    """
    compact = receipt.receipt if isinstance(receipt, Receipt) else receipt
    payload = _open(compact, jwks)
    if isinstance(receipt, Receipt):
        other = [name for name in SIGNED if payload.get(name) != getattr(receipt, name)]
        if other:
            raise ReceiptUnproven(f"The signed receipt says otherwise: {', '.join(other)}.")
    return payload


def _open(compact: str, jwks: Mapping[str, Any]) -> dict[str, Any]:
    try:
        from joserfc import jws
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet
    except ImportError:
        raise SettingUnfit("To verify receipts install surety-client[verify].") from None
    try:
        keys = KeySet.import_key_set({"keys": list(jwks["keys"])})
    except (JoseError, KeyError, TypeError, ValueError):
        raise SettingUnfit("These are no receipt keys: give the answer of /api/v1/receipt-keys.") from None
    try:
        payload = json.loads(jws.deserialize_compact(compact, keys, algorithms=ALGORITHMS).payload)
    except (JoseError, ValueError) as error:
        why = type(error).__name__
        raise ReceiptUnproven(f"The receipt isn't signed by one of these keys ({why}).") from None
    if not isinstance(payload, dict):
        raise ReceiptUnproven("What was signed is no receipt.")
    return payload

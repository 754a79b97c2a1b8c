"""A package made by hand, straight from the definitions of RFC 6962 and C2SP, sharing nothing with the product.

`Draft.seal()` gives the files; whoever holds the draft plays the operator (and can sign), whoever changes sealed
files plays somebody on the way.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TENANT = "0199aaaa-0000-7000-8000-000000000001"
OTHER = "0199aaaa-0000-7000-8000-000000000002"
PACKAGE = "5b8f7a50-1c53-4d0c-9a3b-000000000001"
TIME = "2026-11-22T08:00:00.000000Z"
WHOLE = "0199bbbb-0000-7000-8000-000000000001"
PARTIAL = "0199bbbb-0000-7000-8000-000000000002"
EARLY = "0199bbbb-0000-7000-8000-000000000003"
EVIDENCE = b'{"Volumes": [{"Encrypted": true}]}'
SALT = bytes(range(32))
EARLY_EVIDENCE = b'{"Buckets": []}'


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def leaf(data: bytes) -> bytes:
    return sha(b"\x00" + data)


def split(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, by its recursion."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha(b"")
    k = split(len(leaves))
    return sha(b"\x01" + root(leaves[:k]) + root(leaves[k:]))


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), root(leaves[k:])]
    return [*path(index - k, leaves[k:]), root(leaves[:k])]


def proof(old: int, leaves: list[bytes]) -> list[bytes]:
    """PROOF of section 2.1.2."""

    def sub(m: int, some: list[bytes], known: bool) -> list[bytes]:
        if m == len(some):
            return [] if known else [root(some)]
        k = split(len(some))
        if m <= k:
            return [*sub(m, some[:k], known), root(some[k:])]
        return [*sub(m - k, some[k:], False), root(some[:k])]

    return sub(old, leaves, True)


def peaks(leaves: list[bytes]) -> list[bytes]:
    found, start = [], 0
    for bit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> bit & 1:
            found.append(root(leaves[start : start + (1 << bit)]))
            start += 1 << bit
    return found


class Signer:
    def __init__(self) -> None:
        self.private = Ed25519PrivateKey.generate()
        raw = b"\x01" + self.private.public_key().public_bytes_raw()
        self.hash = sha(b"surety\n" + raw)[:4]
        self.vkey = f"surety+{self.hash.hex()}+{b64(raw)}"

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.vkey.encode()).hexdigest()

    def note(self, text: str) -> str:
        return f"{text}\n\u2014 surety {b64(self.hash + self.private.sign(text.encode()))}\n"

    def certify(self, other: Signer) -> str:
        return self.note(f"surety-key/1\n{other.vkey}\n{TIME}\n")


def entry(
    number: int, act: str = "evidence.read", object_id: str = "", tenant: str = TENANT, **details: Any
) -> bytes:
    return json.dumps(
        {
            "v": 1, "id": f"entry-{number}", "tenant": tenant, "at": TIME, "act": act, "outcome": "done",
            "object": {"type": "snapshot", "id": object_id}, "details": details,
        },
        sort_keys=True, separators=(",", ":"),
    ).encode()  # fmt: skip


def salted(pointer: str, value: str) -> dict[str, Any]:
    """`value`: canonical JSON text."""
    salt = sha(pointer.encode())[:16].hex()
    digest = leaf(f'["{salt}","{pointer}",{value}]'.encode())
    return {
        "shown": {"path": pointer, "salt": salt, "value": json.loads(value)},
        "leaf": {"leaf": digest.hex()},
    }


FIELDS = [
    salted("/a", '"Zoë \\"x\\" \\n \\u001f"'), salted("/b", "1e-7"), salted("/c", "0.00001"), salted("/d", "12345.678"),
    salted("/e", "[]"), salted("/f", "null"), salted("/g", "9007199254740991"), salted("/h", "true"),
]  # fmt: skip
FIELDS_ROOT = root([bytes.fromhex(each["leaf"]["leaf"]) for each in FIELDS]).hex()


def ranked(population: list[str], seed: str) -> list[str]:
    return sorted(population, key=lambda item: hashlib.sha256(f"{seed}\n{item}".encode()).hexdigest())


@dataclass
class Draft:
    """All that a package is made of, changeable until it is sealed."""

    old_key: Signer = field(default_factory=Signer)
    key: Signer = field(default_factory=Signer)
    bodies: list[bytes] = field(default_factory=list)
    first: int = 9
    withheld: set[int] = field(default_factory=lambda: {12, 20})
    earlier: int = 6
    files: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bodies = [entry(number) for number in range(23)]
        self.bodies[3] = entry(3, "evidence.seal", EARLY, sha256=hashlib.sha256(EARLY_EVIDENCE).hexdigest())
        self.bodies[10] = entry(10, "evidence.seal", WHOLE, commitment=sha(SALT + sha(EVIDENCE)).hex())
        self.bodies[15] = entry(15, "evidence.seal", PARTIAL, sha256="", fields_root=FIELDS_ROOT)
        self.write()

    @property
    def leaves(self) -> list[bytes]:
        return [leaf(body) for body in self.bodies]

    def checkpoint(self, size: int, *, key: Signer | None = None, origin: str = f"surety/{TENANT}") -> str:
        lines = [origin, str(size), b64(root(self.leaves[:size])), "epoch 1", f"time {TIME}", ""]
        return (key or self.key).note("\n".join(lines))

    def write(self) -> None:
        size = len(self.bodies)
        self.files = {
            "README.txt": b"read me",
            "verify.py": b"",
            "index.html": b"<p>" * 100,
            f"evidence/{WHOLE}.json": EVIDENCE,
            f"evidence/{EARLY}.json": EARLY_EVIDENCE,
            "log/checkpoint.txt": self.checkpoint(size).encode(),
        }
        self.put("package.json", {
            "format": "surety-evidence-package/1", "id": PACKAGE, "created_at": TIME,
            "tenant": {"id": TENANT, "name": "Klinik Zoë"},
        })  # fmt: skip
        self.put("log/keys.json", {"keys": [
            {"vkey": self.old_key.vkey, "certificate": None},
            {"vkey": self.key.vkey, "certificate": self.old_key.certify(self.key)},
        ]})  # fmt: skip
        before = [b64(each) for each in peaks(self.leaves[: self.first])]
        self.put("log/segment.json", {"first": self.first, "size": size, "before": before})
        self.put_lines("log/entries.jsonl", [self.line(index) for index in range(self.first, size)])
        self.put_lines("log/inclusion.jsonl", [
            {"index": 3, "body": self.bodies[3].decode(), "proof": [b64(each) for each in path(3, self.leaves)]}
        ])  # fmt: skip
        self.put("log/earlier.json", {
            "checkpoint": self.checkpoint(self.earlier, key=self.old_key),
            "proof": [b64(each) for each in proof(self.earlier, self.leaves)],
        })  # fmt: skip
        self.put("log/salts.json", {WHOLE: SALT.hex()})
        self.anchor()
        shown = [each["leaf" if number in (1, 6) else "shown"] for number, each in enumerate(FIELDS)]
        self.put(
            f"evidence/{PARTIAL}.withheld.json",
            {"snapshot": PARTIAL, "fields_root": FIELDS_ROOT, "leaves": shown},
        )
        population = sorted(f"vol-{number}" for number in range(40))
        order = ranked(population, "42")
        self.put("samples/1.json", {
            "population": population, "population_sha256": hashlib.sha256("\n".join(population).encode()).hexdigest(),
            "seed": "42", "size": 5, "drawn": order[:5],
            "replacements": [{"out": order[2], "in": order[5], "reason": "deleted"}],
        })  # fmt: skip

    def line(self, index: int) -> dict[str, Any]:
        body = self.bodies[index]
        return (
            {"index": index, "leaf": b64(leaf(body))}
            if index in self.withheld
            else {"index": index, "body": body.decode()}
        )

    def global_note(self, texts: list[bytes]) -> str:
        lines = [
            "surety/checkpoints",
            str(len(texts)),
            b64(root([leaf(text) for text in texts])),
            f"time {TIME}",
            "",
        ]
        return self.key.note("\n".join(lines))

    def anchor(self) -> None:
        own = self.files["log/checkpoint.txt"].decode().partition("\n\n")[0].encode() + b"\n"
        texts = [b"one\n", b"two\n", own, b"four\n", b"five\n"]
        self.put("log/anchor.json", {
            "note": self.global_note(texts), "index": 2,
            "proof": [b64(each) for each in path(2, [leaf(text) for text in texts])],
        })  # fmt: skip

    def put(self, name: str, value: Any) -> None:
        self.files[name] = json.dumps(value, ensure_ascii=False).encode()

    def put_lines(self, name: str, values: list[Any]) -> None:
        self.files[name] = b"".join(json.dumps(value).encode() + b"\n" for value in values)

    def get(self, name: str) -> Any:
        return json.loads(self.files[name])

    def get_lines(self, name: str) -> list[Any]:
        return [json.loads(line) for line in self.files[name].splitlines()]

    def seal(self, key: Signer | None = None) -> dict[str, bytes]:
        files = dict(self.files)
        listed = [
            {"path": name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in sorted(files.items())
        ]
        files["manifest.json"] = json.dumps({"files": listed}).encode()
        about = json.loads(files["package.json"])
        digest = hashlib.sha256(files["manifest.json"]).hexdigest()
        files["signature.txt"] = (
            (key or self.key).note(f"{about['format']}\n{about['id']}\n{digest}\n").encode()
        )
        return files


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()

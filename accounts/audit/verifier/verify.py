#!/usr/bin/env python3
"""Checks an evidence package or an export of Surety's audit log, without Surety and without a network.

    python3 verify.py PACKAGE [--key FINGERPRINT] [--earlier NOTE_FILE] [--anchor NOTE_FILE]

PACKAGE is a ZIP or the folder that it was unpacked to. Needs Python 3.9 or newer and the package "cryptography".
Prints one sentence for each thing that holds. Exit code 0: all holds; 1: refused, the last line says what is wrong
and where; 2: the package can't be read. Nothing is unpacked to disk; memory doesn't grow with the size of files.

The format: docs/evidence-package.md of Surety. Hashes and proofs: RFC 6962, section 2.1. Notes: c2sp.org/signed-note
and c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import os
import re
import stat
import sys
import zipfile
import zlib

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    print("The Python package cryptography is missing: python3 -m pip install cryptography", file=sys.stderr)
    sys.exit(2)

FORMATS = ("surety-evidence-package/1", "surety-log-export/1")
CHUNK, LONGEST_LINE, LARGEST_JSON = 1 << 20, 1 << 24, 1 << 29
SAFE_NAME = re.compile(r"[A-Za-z0-9_@(][A-Za-z0-9_@().+=-]*(/[A-Za-z0-9_@(][A-Za-z0-9_@().+=-]*)*")


class Refused(Exception):
    """The package isn't what was signed. The message says what is wrong and in which file."""


class Unreadable(Exception):
    """There is no package to judge."""


# --- The package: a ZIP or a folder, read where it is -----------------------------------------------------------------


class Package:
    """The files of a package by name. `open` gives a stream of bytes."""

    def __init__(self, path):
        if os.path.isdir(path):
            self._zip, self._paths = None, dict(self._walk(path))
        else:
            try:
                self._zip = zipfile.ZipFile(path)
            except (OSError, zipfile.BadZipFile) as error:
                raise Unreadable(f"{path} can't be read as a ZIP or a folder: {error}.") from error
            self._paths = {}
            for entry in self._zip.infolist():
                if entry.filename in self._paths:
                    raise Refused(f"The ZIP holds {entry.filename!r} twice.")
                if not (entry.is_dir() and entry.file_size == 0):
                    self._paths[entry.filename] = entry
        self.names = set(self._paths)

    @staticmethod
    def _walk(top):
        for folder, folders, files in os.walk(top):
            for name in files + [name for name in folders if os.path.islink(os.path.join(folder, name))]:
                path = os.path.join(folder, name)
                if not stat.S_ISREG(os.lstat(path).st_mode):
                    raise Refused(
                        f"{os.path.relpath(path, top)} is not an ordinary file but a link or a device."
                    )
                yield os.path.relpath(path, top).replace(os.sep, "/"), path

    def open(self, name):
        if name not in self._paths:
            raise Refused(f"{name} is missing.")
        return self._zip.open(self._paths[name]) if self._zip else open(self._paths[name], "rb")

    def chunks(self, name):
        with judging(name), self.open(name) as stream:
            yield from iter(lambda: stream.read(CHUNK), b"")

    def lines(self, name):
        """Yields (line number, JSON value) of a file with one JSON value on each line."""
        with judging(name), self.open(name) as stream:
            for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE), b""), start=1):
                yield number, json.loads(line)

    def text(self, name):
        with judging(name), self.open(name) as stream:
            data = stream.read(LARGEST_JSON + 1)
            if len(data) > LARGEST_JSON:
                raise Refused(f"{name} is larger than {LARGEST_JSON} bytes.")
            return data.decode()

    def json(self, name):
        with judging(name):
            return json.loads(self.text(name))


@contextlib.contextmanager
def judging(name):
    """What is malformed in a file is a refusal that names the file."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise Refused(f"{name} can't be read from the package: {error}.") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(f"{name} is not in the form that it must have: {error!r}.") from error


# --- Notes, keys, checkpoints -----------------------------------------------------------------------------------------


class Key:
    """A key of the log, from its line "name+hash+base64(01 || public key)"."""

    def __init__(self, vkey):
        self.vkey = vkey
        self.name, named_id, encoded = vkey.split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        self.id = sha256(self.name.encode() + b"\n" + raw)[:4]
        if raw[:1] != b"\x01" or named_id != self.id.hex():
            raise ValueError("a key that is not Ed25519 or whose hash is not its own")
        self.public = Ed25519PublicKey.from_public_bytes(raw[1:])
        self.fingerprint = sha256(vkey.encode()).hex()


def read_note(note, keys, where):
    """The text that a note signs. One of the keys must have signed it, and no signature of theirs may be wrong."""
    with judging(where):
        text, empty_line, signatures = note.rpartition("\n\n")
        signed = False
        for line in signatures.splitlines():
            dash, name, encoded = line.split(" ")
            raw = base64.b64decode(encoded, validate=True)
            for key in keys:
                if dash == "\u2014" and name == key.name and raw[:4] == key.id:
                    try:
                        key.public.verify(raw[4:], f"{text}\n".encode())
                    except InvalidSignature:
                        raise Refused(f"{where}: the signature does not belong to the text.") from None
                    signed = True
    if not (empty_line and signed):
        raise Refused(f"{where} is not signed by a key of the log that may sign it.")
    return f"{text}\n"


def read_keys(package, pinned):
    """All keys, oldest first, each certified by the one before; and those that may sign the package."""
    where, keys = "log/keys.json", []
    with judging(where):
        for entry in package.json(where)["keys"]:
            key = Key(entry["vkey"])
            if keys:
                certificate = read_note(
                    entry["certificate"], keys[-1:], f"{where}: the certificate of {key.vkey}"
                )
                if certificate.split("\n")[:2] != ["surety-key/1", key.vkey]:
                    raise Refused(f"{where}: the certificate of {key.vkey} is about another key.")
            keys.append(key)
        if not keys:
            raise Refused(f"{where} holds no key.")
    if not pinned:
        print(
            f"NOTE: nobody has said whose key this must be. Compare its fingerprint: {keys[-1].fingerprint}"
        )
        return keys, keys
    for position, key in enumerate(keys):
        if pinned in (key.vkey, key.fingerprint):
            print(f"The log's keys descend from the one that you named, {key.fingerprint}.")
            return keys, keys[position:]
    raise Refused(f"{where} holds no key with the fingerprint {pinned}: somebody else signed this package.")


class Checkpoint:
    """A signed statement: the log `origin` had `size` entries, and `root` over them."""

    def __init__(self, note, keys, where):
        self.where, self.text = where, read_note(note, keys, where)
        with judging(where):
            self.origin, size, root, *self.more = self.text.split("\n")[:-1]
            self.size, self.root = int(size), base64.b64decode(root, validate=True)
            self.time = next(line[5:] for line in self.more if line.startswith("time "))


# --- Trees (RFC 6962 and RFC 9162) ------------------------------------------------------------------------------------


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(data):
    return sha256(b"\x00" + data)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


class Tree:
    """A tree that grows leaf by leaf, kept as the roots of its complete subtrees, the largest first."""

    def __init__(self, size=0, roots=()):
        self.size, self._roots = size, list(roots)
        if bin(size).count("1") != len(self._roots) or any(len(root) != 32 for root in self._roots):
            raise ValueError(f"not the subtrees of {size} entries")

    def append(self, leaf):
        position = self.size
        while position & 1:
            leaf, position = node_hash(self._roots.pop(), leaf), position >> 1
        self._roots.append(leaf)
        self.size += 1

    def root(self):
        if not self._roots:
            return sha256(b"")
        right, *rest = reversed(self._roots)
        for left in rest:
            right = node_hash(left, right)
        return right


def root_from_proof(leaf, index, size, proof):
    """The root of a tree of `size` that the leaf at `index` and its proof lead to (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        raise ValueError(f"no entry {index} in {size}")
    last, result = size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ValueError("a proof that is too long")
        if index & 1 or index == last:
            result = node_hash(sibling, result)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise ValueError("a proof that is too short")
    return result


def roots_from_proof(old_size, old_root, size, proof):
    """The older and the newer root that a consistency proof leads to (RFC 9162, section 2.1.4.2)."""
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    index, last = old_size - 1, size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ValueError("a proof that is too long")
        if index & 1 or index == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise ValueError("a proof that is too short")
    return old, new


def unbase64(hashes):
    return [base64.b64decode(text, validate=True) for text in hashes]


# --- What is verified -------------------------------------------------------------------------------------------------


def verify_files(package, about, keys):
    """The manifest is signed, and the files are those that it lists. Returns the SHA-256 of each, in hex."""
    manifest = package.text("manifest.json")
    digest = sha256(manifest.encode()).hex()
    signed = read_note(package.text("signature.txt"), keys, "signature.txt")
    if signed != f"{about['format']}\n{about['id']}\n{digest}\n":
        raise Refused(
            "signature.txt signs another package.json or manifest.json than the ones that are here."
        )
    listed, total = {}, 0
    with judging("manifest.json"):
        for entry in json.loads(manifest)["files"]:
            if not SAFE_NAME.fullmatch(entry["path"]) or entry["path"] in listed:
                raise Refused(
                    f"manifest.json lists {entry['path']!r}, twice or under a name that no file may have."
                )
            listed[entry["path"]] = (entry["sha256"], entry["bytes"])
    for name in sorted(listed.keys() - package.names):
        raise Refused(f"{name} is missing.")
    for name in sorted(package.names - listed.keys() - {"manifest.json", "signature.txt"}):
        raise Refused(f"{name!r} was added: manifest.json does not list it.")
    for name, (expected, length) in listed.items():
        found, count = hashlib.sha256(), 0
        for chunk in package.chunks(name):
            found.update(chunk)
            count += len(chunk)
            if count > length:
                break
        if count != length or found.hexdigest() != expected:
            raise Refused(
                f"{name} was changed: it is not the file of {length} bytes that manifest.json lists."
            )
        total += count
    print(
        f"All {len(listed)} files ({total} bytes) are those that were signed; none is missing, none was added."
    )
    return {name: expected for name, (expected, _length) in listed.items()}


class Seals:
    """What the log says of the evidence in this package when it was sealed: its entries "evidence.seal"."""

    def __init__(self, names, tenant):
        self.wanted = {name.split("/")[1].split(".")[0] for name in names if name.startswith("evidence/")}
        self.tenant, self.found = tenant, {}

    def read(self, body, where):
        """Notes an entry of the log; it must be the tenant's."""
        with judging(where):
            entry = json.loads(body)
            if entry["tenant"] != self.tenant:
                raise Refused(f"{where} is of the log of another tenant, {entry['tenant']}.")
            if entry["act"] == "evidence.seal" and entry["object"]["id"] in self.wanted:
                details = self.found.setdefault(entry["object"]["id"], entry["details"])
                if details != entry["details"]:
                    raise Refused(f"{where} seals evidence that was sealed otherwise before.")

    def of(self, snapshot, where):
        if snapshot not in self.found:
            raise Refused(f"{where}: no entry of the log in this package says that it was sealed.")
        return self.found[snapshot]


def verify_log(package, about, keys, seals, earlier):
    """The entries are those of the signed checkpoint: none changed, missing, invented, doubled or moved."""
    checkpoint = Checkpoint(package.text("log/checkpoint.txt"), keys, "log/checkpoint.txt")
    if checkpoint.origin != f"surety/{about['tenant']['id']}":
        raise Refused(f"log/checkpoint.txt is of another log, {checkpoint.origin}, than package.json names.")
    segment = package.json("log/segment.json")
    with judging("log/segment.json"):
        tree, size = Tree(segment["first"], unbase64(segment["before"])), segment["size"]
    if size != checkpoint.size:
        raise Refused(f"log/segment.json ends at {size} entries, log/checkpoint.txt at {checkpoint.size}.")
    first, where, withheld, roots = tree.size, "log/entries.jsonl", 0, {tree.size: tree.root()}
    for number, line in package.lines(where):
        if line["index"] != tree.size or tree.size == size:
            raise Refused(
                f"{where}, line {number}: entry {line['index']} stands where {tree.size} of {size} was to come; "
                "an entry is missing, doubled, moved or invented."
            )
        if "body" in line:
            seals.read(line["body"], f"{where}, entry {tree.size},")
            tree.append(leaf_hash(line["body"].encode()))
        else:
            tree.append(unbase64([line["leaf"]])[0])
            withheld += 1
        if earlier and earlier.size == tree.size:
            roots[tree.size] = tree.root()
    if tree.size != size:
        raise Refused(f"{where} ends before entry {tree.size}: the last {size - tree.size} are missing.")
    if tree.root() != checkpoint.root:
        raise Refused(
            f"{where} does not give the root in log/checkpoint.txt: an entry was changed, moved or invented."
        )
    print(
        f"Entries {first} to {size - 1} of the log are complete and in order as of {checkpoint.time}"
        f" ({size - first} entries, {withheld} of them withheld)."
        if size > first
        else f"The log had {size} entries at {checkpoint.time}; none of them is in this package's segment."
    )
    roots[size] = checkpoint.root
    return checkpoint, roots


def verify_included(package, checkpoint, seals):
    """Entries from before the segment stand where they say."""
    where, count = "log/inclusion.jsonl", 0
    if where not in package.names:
        return
    for number, line in package.lines(where):
        leaf, proof = leaf_hash(line["body"].encode()), unbase64(line["proof"])
        if root_from_proof(leaf, line["index"], checkpoint.size, proof) != checkpoint.root:
            raise Refused(f"{where}, line {number}: entry {line['index']} is not what the log holds there.")
        seals.read(line["body"], f"{where}, line {number},")
        count += 1
    print(f"{count} earlier entries stand in the same log.")


def verify_earlier(package, checkpoint, keys, roots, own):
    """The log of an earlier checkpoint is a beginning of this one: the package's, and the reader's own."""
    given, where = None, "log/earlier.json"
    if where in package.names:
        with judging(where):
            entry = package.json(where)
            given = Checkpoint(entry["checkpoint"], keys, where)
            found = roots_from_proof(given.size, given.root, checkpoint.size, unbase64(entry["proof"]))
        if given.origin != checkpoint.origin or found != (given.root, checkpoint.root):
            raise Refused(f"{where}: the log of {given.size} entries at {given.time} was another one.")
        roots[given.size] = given.root
        print(f"The log still begins with the {given.size} entries that it had at {given.time}.")
    if not own:
        return
    if own.size > checkpoint.size:
        raise Refused(
            f"{own.where} knows {own.size} entries, log/checkpoint.txt only {checkpoint.size}: a tail is gone."
        )
    if own.origin != checkpoint.origin:
        raise Refused(f"{own.where} is of another log, {own.origin}.")
    if own.size not in roots:
        raise Refused(
            f"{where} has no proof from the {own.size} entries of {own.where}: ask for a package with it."
        )
    if roots[own.size] != own.root:
        raise Refused(f"{own.where}: its log of {own.size} entries was another one; the log was rewritten.")
    print(f"Your checkpoint of {own.size} entries is a beginning of this log.")


def verify_anchor(package, checkpoint, keys, own):
    """The checkpoint stands in the log of all checkpoints, whose head is kept where it can't be overwritten."""
    where = "log/anchor.json"
    if where not in package.names:
        if own:
            raise Refused(
                f"{where} is missing: the checkpoint was not yet anchored when the package was made."
            )
        print("NOTE: the checkpoint was not yet anchored when the package was made.")
        return
    with judging(where):
        entry = package.json(where)
        anchor = Checkpoint(entry["note"], keys, where)
        leaf = leaf_hash(checkpoint.text.encode())
        found = root_from_proof(leaf, entry["index"], anchor.size, unbase64(entry["proof"]))
    if anchor.origin != "surety/checkpoints" or found != anchor.root:
        raise Refused(f"{where} does not hold the checkpoint of log/checkpoint.txt.")
    if own and own.size != anchor.size:
        raise Refused(
            f"{own.where} has {own.size} checkpoints and {where} {anchor.size}: fetch the anchor of that size."
        )
    if own and (own.origin, own.root) != (anchor.origin, anchor.root):
        raise Refused(f"{where} is not what was anchored: {own.where} has another root.")
    seen = (
        "which is the one that you fetched"
        if own
        else "fetch it from the write-once store and compare by --anchor"
    )
    print(f"The checkpoint stands in the anchor of {anchor.size} checkpoints of {anchor.time}; {seen}.")


def verify_evidence(package, digests, seals):
    """Each piece of evidence is, byte by byte or field by field, what was sealed."""
    whole = parts = 0
    for name in sorted(name for name in digests if name.startswith("evidence/")):
        snapshot = name.split("/")[1].split(".")[0]
        sealed = seals.of(snapshot, name)
        if name == f"evidence/{snapshot}.json":
            if sealed.get("sha256") != digests[name]:
                raise Refused(f"{name} is not the evidence that the log says was sealed.")
            whole += 1
        elif name == f"evidence/{snapshot}.withheld.json":
            with judging(name):
                document = package.json(name)
                root = fields_root(document["leaves"])
            if (
                not sealed.get("fields_root") == document["fields_root"] == root
                or document["snapshot"] != snapshot
            ):
                raise Refused(
                    f"{name}: its fields are not those of the evidence that the log says was sealed."
                )
            parts += 1
        else:
            raise Refused(f"{name} is not named as evidence is.")
    print(
        f"{whole} pieces of evidence are what was sealed, byte by byte; {parts} are, but for fields withheld."
    )


def fields_root(leaves):
    """The root over a document's salted leaves, some of them hashes only."""
    tree, before = Tree(), None
    for leaf in leaves:
        if "leaf" in leaf:
            tree.append(bytes.fromhex(leaf["leaf"]))
            continue
        if before is not None and leaf["path"] <= before:
            raise ValueError(f"{leaf['path']} stands out of order")
        before, parts = leaf["path"], (leaf["salt"], leaf["path"], leaf["value"])
        tree.append(leaf_hash(f"[{','.join(map(canonical, parts))}]".encode()))
    return tree.root().hex()


def canonical(value):
    """A text, number, true, false, null, [] or {} as RFC 8785 writes it: numbers as JavaScript does."""
    if not isinstance(value, float):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if value == 0:
        return "0"
    digits, _, exponent = f"{float(repr(value)):.17e}".partition("e")
    digits, exponent = (
        repr(value).lower().partition("e")[0].replace(".", "").replace("-", "").strip("0"),
        int(exponent),
    )
    sign, count = "-" if value < 0 else "", len(digits)
    if -7 < exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    if 0 <= exponent < 21:
        whole, fraction = digits[: exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1 :]
        return f"{sign}{whole}{'.' if fraction else ''}{fraction}"
    return f"{sign}{digits[0]}{'.' if count > 1 else ''}{digits[1:]}e{exponent:+d}"


def verify_samples(package, digests):
    """Each sample is the one that its seed draws from its frozen population."""
    names = sorted(name for name in digests if name.startswith("samples/"))
    for name in names:
        with judging(name):
            sample = package.json(name)
            population, size, seed = sample["population"], sample["size"], sample["seed"]
            if sha256("\n".join(population).encode()).hex() != sample["population_sha256"]:
                raise Refused(f"{name}: the population is not the one that was frozen.")
            order = sorted(population, key=lambda item: (sha256(f"{seed}\n{item}".encode()), item))
            used = order[: size + len(sample["replacements"])]
            if len(set(population)) != len(population) or order[:size] != sample["drawn"]:
                raise Refused(f"{name}: the seed draws another sample from this population.")
            present = set(order[:size])
            for swap, following in zip(
                sample["replacements"], used[size:] + [None] * len(sample["replacements"])
            ):
                if swap["in"] != following or swap["out"] not in present:
                    raise Refused(f"{name}: {swap['in']} may not replace {swap['out']}.")
                present = present - {swap["out"]} | {swap["in"]}
    if names:
        print(f"{len(names)} samples are those that their seeds draw.")


def verify(options):
    package = Package(options.package)
    about = package.json("package.json")
    with judging("package.json"):
        tenant = about["tenant"]["id"]
        if about["format"] not in FORMATS:
            raise Refused(f"package.json names a format that this program doesn't know, {about['format']}.")
    keys, signers = read_keys(package, options.key)
    earlier, anchor = (own_checkpoint(path, keys) for path in (options.earlier, options.anchor))
    digests = verify_files(package, about, signers)
    seals = Seals(digests, tenant)
    checkpoint, roots = verify_log(package, about, keys, seals, earlier)
    verify_included(package, checkpoint, seals)
    verify_earlier(package, checkpoint, keys, roots, earlier)
    verify_anchor(package, checkpoint, keys, anchor)
    if about["format"] == FORMATS[0]:
        verify_evidence(package, digests, seals)
        verify_samples(package, digests)
    print(
        f"ACCEPTED: {about['format']} {about['id']} of {about['tenant']['name']!r}, made {about['created_at']}."
    )


def own_checkpoint(path, keys):
    """A checkpoint that the reader has from elsewhere."""
    if not path:
        return None
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            return Checkpoint(file.read(CHUNK), keys, path)
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path} can't be read: {error}.") from error


def main():
    parser = argparse.ArgumentParser(description="Checks an evidence package or an export of the audit log.")
    parser.add_argument("package", help="a ZIP, or the folder that it was unpacked to")
    parser.add_argument(
        "--key", help="fingerprint (64 hex digits) of the key that must have signed, or the key itself"
    )
    parser.add_argument("--earlier", help="a file with a checkpoint of this log from before")
    parser.add_argument("--anchor", help="a file with the anchor, fetched from the write-once store")
    options = parser.parse_args()
    if options.key and "+" not in options.key:
        options.key = options.key.replace(":", "").lower()
    try:
        verify(options)
    except Refused as refusal:
        print(f"REFUSED: {refusal}")
        return 1
    except Unreadable as trouble:
        print(f"UNREADABLE: {trouble}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

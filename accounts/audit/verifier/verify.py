#!/usr/bin/env python3
"""Checks an evidence package or an export of Surety's audit log, without Surety and without a network.

    python3 verify.py PACKAGE [--key FINGERPRINT] [--earlier NOTE_FILE] [--anchor NOTE_FILE]

PACKAGE is a ZIP or the folder that it was unpacked to. Needs Python 3.9 or newer and the package "cryptography".
Prints one sentence for each thing that holds. Exit code 0: all holds; 1: refused, the last line says what is wrong
and where; 2: can't be read. Nothing is unpacked to disk; memory doesn't grow with the size of the evidence or the log.

The format: docs/evidence-package.md of Surety. Trees: RFC 6962, section 2.1. Notes: c2sp.org/signed-note and
c2sp.org/tlog-checkpoint.
"""

import argparse
import base64
import contextlib
import decimal
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
    print("UNREADABLE: the Python package cryptography is missing: python3 -m pip install cryptography")
    sys.exit(2)

CERTIFIED = {
    "surety-verification/1": ("verification.certify", "packet", "verification"),
    "surety-exit/1": ("exit.certify", "certificate", "certificate"),
}
"""Formats that hold a certified document: the log's act, package.json's name for its id, and its files' name."""
FORMATS = ("surety-evidence-package/1", "surety-log-export/1", *CERTIFIED)
KEYS, DELETED = "submissions/keys.json", "submissions/deleted.json"
SENT = ("submission.receive", "submission.delete")
CHUNK, LONGEST_LINE, LARGEST_TEXT = 1 << 20, 1 << 24, 1 << 28  # bytes
SAFE_NAME = re.compile(r"[A-Za-z0-9_@(][A-Za-z0-9_@().+=-]*(/[A-Za-z0-9_@(][A-Za-z0-9_@().+=-]*)*")


class Refused(Exception):
    """The package isn't what was signed. The message says what is wrong and in which file."""


def require(condition, sentence):
    if not condition:
        raise Refused(sentence)


@contextlib.contextmanager
def judging(name):
    """Whatever is malformed in a file is a refusal that names the file."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise Refused(f"{name} can't be read from the package: {error}.") from error
    except InvalidSignature as error:
        raise Refused(f"{name}: the signature does not belong to the text, which was changed.") from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Refused(f"{name} is not in the form that it must have: {error!r}.") from error


# --- The package: a ZIP or a folder, read where it is ---


class Package:
    """The files of a package, by name."""

    def __init__(self, path):
        self.zip, self.files = None, {}
        if os.path.isdir(path):
            self.find_files(path)
        else:
            self.zip = zipfile.ZipFile(path)
            self.list_entries()

    def list_entries(self):
        for entry in self.zip.infolist():
            require(entry.filename not in self.files, f"The ZIP holds {entry.filename!r} twice.")
            if not (entry.is_dir() and entry.file_size == 0):
                self.files[entry.filename] = entry

    def find_files(self, top):
        for folder, folders, names in os.walk(top):
            for path in (os.path.join(folder, name) for name in folders + names):
                mode, name = os.lstat(path).st_mode, os.path.relpath(path, top).replace(os.sep, "/")
                require(stat.S_ISREG(mode) or stat.S_ISDIR(mode), f"{name} is a link or a device, not a file.")
                if stat.S_ISREG(mode):
                    self.files[name] = path

    def open(self, name):
        require(name in self.files, f"{name} is missing.")
        return self.zip.open(self.files[name]) if self.zip else open(self.files[name], "rb")

    def chunks(self, name):
        with judging(name), self.open(name) as stream:
            yield from iter(lambda: stream.read(CHUNK), b"")

    def text(self, name):
        with judging(name), self.open(name) as stream:
            data = stream.read(LARGEST_TEXT + 1)
            require(len(data) <= LARGEST_TEXT, f"{name} is larger than {LARGEST_TEXT} bytes.")
            return data.decode()

    def json(self, name):
        with judging(name):
            return json.loads(self.text(name))

    def json_lines(self, name):
        with judging(name), self.open(name) as stream:
            for line in iter(lambda: stream.readline(LONGEST_LINE), b""):
                yield json.loads(line)


# --- Notes, keys, checkpoints ---


def sha256(data):
    return hashlib.sha256(data).digest()


class Key:
    """A key of the log, from its line "name+hash+base64(0x01 || public key)"."""

    def __init__(self, vkey):
        self.vkey, self.fingerprint = vkey, sha256(vkey.encode()).hex()
        self.name, named_hash, encoded = vkey.split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        self.hash = sha256(self.name.encode() + b"\n" + raw)[:4]
        if raw[:1] != b"\x01" or named_hash != self.hash.hex():
            raise ValueError("a key that is not Ed25519, or not the one that its hash names")
        self.public = Ed25519PublicKey.from_public_bytes(raw[1:])


def read_note(note, keys, where):
    """The text that a note signs: one of the keys must have signed it, and no signature of theirs may be wrong."""
    signed = False
    with judging(where):
        text, _, signatures = note.rpartition("\n\n")
        for line in signatures.splitlines():
            dash, name, encoded = line.split(" ")
            signature = base64.b64decode(encoded, validate=True)
            for key in keys:
                if (dash, name, signature[:4]) == ("\u2014", key.name, key.hash):
                    key.public.verify(signature[4:], f"{text}\n".encode())
                    signed = True
    require(signed, f"{where} is not signed by a key of the log that may sign it.")
    return f"{text}\n"


def read_keys(package, pinned):
    """All keys, oldest first, each certified by the one before; and those of them that may sign the package.

    A key without a certificate follows one that was lost: trust in the one before doesn't reach it.
    """
    where, keys, starts = "log/keys.json", [], []
    with judging(where):
        for entry in package.json(where)["keys"]:
            key = Key(entry["vkey"])
            if entry["certificate"] is None:
                starts.append(len(keys))
            else:
                text = read_note(entry["certificate"], keys[-1:], f"{where}: the certificate of {key.vkey}")
                certified = text.split("\n")[:2] == ["surety-key/1", key.vkey]
                require(certified, f"{where}: the certificate of {key.vkey} is about another key.")
            keys.append(key)
        newest = keys[-1].fingerprint
    for start in starts[1:]:
        print(f"NOTE: no key certifies {keys[start].fingerprint}. Ask whose log it is whether the one before was lost.")
    if not pinned:
        print(f"NOTE: you did not say (--key) whose key this must be. Compare its fingerprint: {newest}")
        return keys, keys
    for position, key in enumerate(keys):
        if pinned in (key.vkey, key.fingerprint):
            print(f"The log has the key that you named; the newest is {newest}.")
            return keys, keys[position : next((start for start in starts if start > position), None)]
    raise Refused(f"{where} has no key with the fingerprint {pinned}: somebody else signed this package.")


class Checkpoint:
    """A signed statement: the log `origin` had `size` entries, and `root` over them, at `time`."""

    def __init__(self, note, keys, where):
        self.where, self.text = where, read_note(note, keys, where)
        with judging(where):
            self.origin, size, root, *more = self.text.split("\n")[:-1]
            self.size, self.root = int(size), unbase64([root])[0]
            self.time = "".join(line[5:] for line in more if line.startswith("time "))


# --- Trees ---


def leaf_hash(data):
    return sha256(b"\x00" + data)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def unbase64(texts):
    return [a_hash(base64.b64decode(text, validate=True)) for text in texts]


def a_hash(data):
    if len(data) != 32:
        raise ValueError(f"{len(data)} bytes are no SHA-256")
    return data


class Tree:
    """A tree that grows leaf by leaf, kept as the roots of its complete subtrees, the largest first."""

    def __init__(self, size=0, roots=()):
        self.size, self.roots = size, list(roots)
        if bin(size).count("1") != len(self.roots):
            raise ValueError(f"{len(self.roots)} subtrees can't hold {size} entries")

    def append(self, leaf):
        position = self.size
        while position & 1:
            leaf, position = node_hash(self.roots.pop(), leaf), position >> 1
        self.roots.append(leaf)
        self.size += 1

    def root(self):
        if not self.roots:
            return sha256(b"")
        result, *larger = reversed(self.roots)
        for root in larger:
            result = node_hash(root, result)
        return result


def climb(index, last, start, path):
    """The walk of RFC 9162, sections 2.1.3.2 and 2.1.4.2: the older and the newer root that a proof leads to."""
    old = new = start
    for sibling in path:
        if last == 0:
            raise ValueError("a proof that is too long")
        if index & 1 or index == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise ValueError("a proof that is too short")
    return old, new


def included_root(leaf, index, size, proof):
    """The root of the tree of `size` leaves in which `proof` leads from the leaf at `index`."""
    if not 0 <= index < size:
        raise ValueError(f"no entry {index} in {size}")
    return climb(index, size - 1, leaf, unbase64(proof))[1]


def consistent_roots(older, newer, proof):
    """The roots of both checkpoints, as a proof that the one is a beginning of the other gives them."""
    if not 0 < older.size < newer.size:
        return older.root, older.root
    path = unbase64(proof)
    start = path.pop(0) if older.size & (older.size - 1) else older.root
    index, last = older.size - 1, newer.size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    return climb(index, last, start, path)


# --- What is verified ---


def verify_files(package, about, keys):
    """The manifest is signed and the files are those that it lists. Returns each one's SHA-256 in hex."""
    manifest, listed, total = package.text("manifest.json"), {}, 0
    signed = read_note(package.text("signature.txt"), keys, "signature.txt")
    here = f"{about['format']}\n{about['id']}\n{sha256(manifest.encode()).hex()}\n"
    require(signed == here, "signature.txt signs another manifest.json or package.json than those that are here.")
    with judging("manifest.json"):
        for entry in json.loads(manifest)["files"]:
            path = entry["path"]
            require(SAFE_NAME.fullmatch(path), f"manifest.json lists {path!r}, which is no name for a file.")
            require(path not in listed, f"manifest.json lists {path} twice.")
            listed[path] = (entry["sha256"], entry["bytes"])
    for name in sorted(listed.keys() - package.files.keys()):
        raise Refused(f"{name} is missing.")
    for name in sorted(package.files.keys() - listed.keys() - {"manifest.json", "signature.txt"}):
        raise Refused(f"{name} was added: manifest.json does not list it.")
    for name, (digest, length) in listed.items():
        found, count = hashlib.sha256(), 0
        for chunk in package.chunks(name):
            found.update(chunk)
            count += len(chunk)
            if count > length:
                break
        same = (found.hexdigest(), count) == (digest, length)
        require(same, f"{name} was changed: it is not the file of {length} bytes that was signed.")
        total += count
    print(f"All {len(listed)} files ({total} bytes) are those that were signed; none is missing, none was added.")
    return {name: digest for name, (digest, _) in listed.items()}


class Seals:
    """What the log says of this package's evidence: its entries evidence.seal, by the snapshot's id.

    `certified`: what it says of certifications, by act and the document's id. `told`: of documents that other tools
    sent (`submissions`), by act and id.
    """

    def __init__(self, names, tenant, deleted):
        self.wanted = {snapshot_of(name) for name in names if name.startswith("evidence/")}
        self.submissions = {snapshot_of(name) for name in names if name.startswith("submissions/")} | set(deleted)
        self.tenant, self.found, self.certified, self.told = tenant, {}, {}, {}

    def note(self, body, where):
        """Reads an entry of the log, which must be the tenant's."""
        entry = json.loads(body)
        require(entry["tenant"] == self.tenant, f"{where} is from the log of another tenant, {entry['tenant']}.")
        if entry["act"] == "evidence.seal" and entry["object"]["id"] in self.wanted:
            details = self.found.setdefault(entry["object"]["id"], entry["details"])
            require(details == entry["details"], f"{where} seals evidence again that was sealed otherwise before.")
        told = entry["act"] in SENT and entry["outcome"] == "done"
        if told and entry["object"]["id"] in self.submissions:
            first = self.told.setdefault((entry["act"], entry["object"]["id"]), entry["details"])
            require(first == entry["details"], f"{where} tells of a document again that was told otherwise before.")
        if entry["act"] in {act for act, _, _ in CERTIFIED.values()} and entry["outcome"] == "done":
            first = self.certified.setdefault((entry["act"], entry["object"]["id"]), entry)
            require(first == entry, f"{where} certifies a document that was certified before.")


def snapshot_of(name):
    return name.split("/")[1].split(".")[0]


def verify_entries(package, checkpoint, seals, earlier):
    """The segment's entries are the log's: none changed, missing, invented, doubled or moved.

    Returns the roots that the log had at the sizes that the reader may want to compare, by size.
    """
    where, withheld = "log/entries.jsonl", 0
    with judging("log/segment.json"):
        segment = package.json("log/segment.json")
        tree, size = Tree(segment["first"], unbase64(segment["before"])), segment["size"]
    wrong = f"log/segment.json speaks of {size} entries, log/checkpoint.txt of {checkpoint.size}."
    require(size == checkpoint.size, wrong)
    first, roots = tree.size, {tree.size: tree.root(), size: checkpoint.root}
    with judging(where):
        for line in package.json_lines(where):
            if line["index"] != tree.size or tree.size == size:
                raise Refused(
                    f"{where}: entry {line['index']} stands where entry {tree.size} of {size} was to come; "
                    "one is missing, doubled, moved or invented."
                )
            if "body" in line:
                seals.note(line["body"], f"{where}: entry {tree.size}")
                tree.append(leaf_hash(line["body"].encode()))
            else:
                tree.append(unbase64([line["leaf"]])[0])
                withheld += 1
            if earlier and earlier.size == tree.size:
                roots[tree.size] = tree.root()
    require(tree.size == size, f"{where}: the last {size - tree.size} of {size} entries are missing.")
    wrong = f"{where} and log/segment.json don't give the root of log/checkpoint.txt: an entry was changed."
    require(tree.root() == checkpoint.root, wrong)
    print(
        f"The log had {size} entries at {checkpoint.time}; here are those from {first} on, complete and in order: "
        f"{size - first}, of which {withheld} are withheld."
    )
    return roots


def verify_included(package, checkpoint, seals):
    """Entries from before the segment stand where they say."""
    where, count = "log/inclusion.jsonl", 0
    with judging(where):
        for line in package.json_lines(where) if where in package.files else ():
            root = included_root(leaf_hash(line["body"].encode()), line["index"], checkpoint.size, line["proof"])
            require(root == checkpoint.root, f"{where}: entry {line['index']} is not what the log holds there.")
            seals.note(line["body"], f"{where}: entry {line['index']}")
            count += 1
    if count:
        print(f"{count} entries from before stand in the same log.")


def verify_earlier(package, checkpoint, keys, roots, own):
    """The log of an earlier checkpoint (the package's, the reader's own) is a beginning of this one."""
    where = "log/earlier.json"
    if where in package.files:
        with judging(where):
            entry = package.json(where)
            older = Checkpoint(entry["checkpoint"], keys, where)
            found = consistent_roots(older, checkpoint, entry["proof"])
        same = older.origin == checkpoint.origin and found == (older.root, checkpoint.root)
        require(same, f"{where}: the log of {older.size} entries at {older.time} is not a beginning of this one.")
        roots[older.size] = older.root
        print(f"It still begins with the {older.size} entries that it had at {older.time}.")
    if own:
        yours = f"the {own.size} entries of {own.where}"
        require(own.origin == checkpoint.origin, f"{own.where} is of another log, {own.origin}.")
        require(own.size <= checkpoint.size, f"log/checkpoint.txt has fewer than {yours}: the tail is missing.")
        require(own.size in roots, f"{where} has no proof from {yours}: ask for a package with it.")
        require(own.root == roots[own.size], f"log/checkpoint.txt does not continue {yours}: the log was rewritten.")
        print(f"It still begins with {yours}.")


def verify_anchor(package, checkpoint, keys, own):
    """The checkpoint stands in the log of all checkpoints, whose head is kept where nobody can overwrite it."""
    where = "log/anchor.json"
    if where not in package.files:
        require(not own, f"{where} is missing: the package was made before its checkpoint was anchored.")
        print("NOTE: the package was made before its checkpoint was anchored.")
        return
    with judging(where):
        entry = package.json(where)
        anchor = Checkpoint(entry["note"], keys, where)
        root = included_root(leaf_hash(checkpoint.text.encode()), entry["index"], anchor.size, entry["proof"])
    same = anchor.origin == "surety/checkpoints" and root == anchor.root
    require(same, f"{where} does not hold the checkpoint of log/checkpoint.txt.")
    if own:
        require(own.size == anchor.size, f"{own.where}: fetch the anchor of {anchor.size} checkpoints, not {own.size}.")
        same = (own.origin, own.root) == (anchor.origin, anchor.root)
        require(same, f"{where} is not what was anchored: {own.where} has another root.")
    advice = "the one that you fetched" if own else "fetch it from the write-once store and compare it by --anchor"
    print(f"The checkpoint stands in the anchor of {anchor.size} checkpoints of {anchor.time}: {advice}.")


def verify_evidence(package, digests, seals):
    """Each piece of evidence is, byte by byte or field by field, what was sealed."""
    names = sorted(name for name in digests if name.startswith("evidence/"))
    salts = package.json("log/salts.json") if "log/salts.json" in package.files else {}
    for name in names:
        snapshot = snapshot_of(name)
        require(snapshot in seals.found, f"{name}: no entry of the log in this package says that it was sealed.")
        sealed = seals.found[snapshot]
        with judging(name):
            if name == f"evidence/{snapshot}.json":
                same = sealed_as(sealed, digests[name], salts.get(snapshot, ""))
            else:
                require(name == f"evidence/{snapshot}.withheld.json", f"{name} is not named as evidence is.")
                document = package.json(name)
                same = document["snapshot"] == snapshot and sealed["fields_root"] == fields_root(document["leaves"])
        require(same, f"{name} is not the evidence that the log says was sealed.")
    if names:
        print(f"{len(names)} pieces of evidence are what the log says was sealed.")


def sealed_as(sealed, digest, salt):
    """Whether an entry's details seal a document of this digest: openly, or by a commitment that its salt opens."""
    if "commitment" not in sealed:
        return sealed["sha256"] == digest
    return sealed["commitment"] == sha256(bytes.fromhex(salt) + bytes.fromhex(digest)).hex()


def fields_root(leaves):
    """The root, in hex, over a document's salted leaves; of those withheld the hashes alone are here."""
    tree, before = Tree(), None
    for leaf in leaves:
        if "leaf" in leaf:
            tree.append(a_hash(bytes.fromhex(leaf["leaf"])))
            continue
        require(before is None or before < leaf["path"], f"A field, {leaf['path']}, is out of order.")
        before = leaf["path"]
        tree.append(leaf_hash(f"[{canonical(leaf['salt'])},{canonical(before)},{canonical(leaf['value'])}]".encode()))
    return tree.root().hex()


def canonical(value):
    """A text, a number, true, false, null, [] or {} in canonical JSON (RFC 8785)."""
    if isinstance(value, float):
        if abs(value) >= 1e-6:  # where Python may write 1e-05 and JavaScript writes 0.00001
            return format(decimal.Decimal(repr(value)), "f")
        return repr(value).replace("e-0", "e-")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def verify_submissions(package, digests, seals, deleted):
    """Each document of another tool is what its receipt says; a key of the package signed that, and the log has it."""
    names = {name for name in digests if name.startswith("submissions/")} - {KEYS, DELETED}
    receipts = sorted(name for name in names if name.endswith("/receipt.json"))
    keys = receipt_keys(package) if receipts else {}
    for name in receipts:
        submission = snapshot_of(name)
        with judging(name):
            entry = package.json(name)
            said, document = read_receipt(entry["receipt"], keys), entry["document"]
            own = document in names and document.startswith(f"submissions/{submission}/document.")
            require(own, f"{name} names no document beside it.")
            require((said["id"], said["tenant"]) == (submission, seals.tenant), f"{name} has another one's receipt.")
            require(said["digest"] == digests[document], f"{document} is not the document that its receipt is for.")
        told = seals.told.get(("submission.receive", submission), {})
        same = told.get("receipt_sha256") == sha256(entry["receipt"].encode()).hex()
        require(same, f"{name}: no entry of the log in this package says that this receipt was given.")
        names -= {name, document}
    require(not names, f"{min(names, default='')} has no receipt in this package.")
    for submission, number in deleted.items():
        received = seals.told.get(("submission.receive", submission), {})
        gone = ("submission.delete", submission) in seals.told and received.get("sequence") == number
        require(gone, f"{DELETED}: no entry of the log says that document {number} was received and deleted.")
    if receipts:
        print(f"{len(receipts)} documents of other tools are what their receipts say, which the log has.")
    if deleted:
        print(f"{len(deleted)} documents were received and deleted, says the log; nothing of them is here.")


def receipt_keys(package):
    """The keys that receipts are verified with, by their ids: a JWK set (RFC 7517, RFC 8037)."""
    with judging(KEYS):
        found = package.json(KEYS)["keys"]
        wrong = f"{KEYS} has a key that is not Ed25519."
        require(all((key["kty"], key["crv"]) == ("OKP", "Ed25519") for key in found), wrong)
        return {key["kid"]: Ed25519PublicKey.from_public_bytes(unbase64url(key["x"])) for key in found}


def read_receipt(receipt, keys):
    """What a receipt says: a compact JWS (RFC 7515) that one of the keys signed."""
    header, payload, signature = receipt.split(".")
    about = json.loads(unbase64url(header))
    if (about["alg"], about["typ"]) != ("Ed25519", "surety-receipt+jws"):
        raise ValueError("a receipt of another kind")
    keys[about["kid"]].verify(unbase64url(signature), f"{header}.{payload}".encode())
    return json.loads(unbase64url(payload))


def unbase64url(text):
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def read_deleted(package):
    """The documents that were deleted: their numbers by their ids."""
    with judging(DELETED):
        found = package.json(DELETED)["deleted"] if DELETED in package.files else []
        return {entry["id"]: entry["sequence"] for entry in found}


def verify_samples(package, digests):
    """Each sample is the one that its seed draws from its frozen population."""
    names = sorted(name for name in digests if name.startswith("samples/"))
    for name in names:
        with judging(name):
            sample = package.json(name)
            seed, size, population = sample["seed"], sample["size"], sample["population"]
            same = sha256("\n".join(population).encode()).hex() == sample["population_sha256"]
            require(same, f"{name}: the population is not the one whose digest was published.")
            order = sorted(set(population), key=lambda item: (sha256(f"{seed}\n{item}".encode()), item))
            same = len(order) == len(population) and order[:size] == sample["drawn"]
            require(same, f"{name}: the seed draws another sample from this population.")
            chosen = set(order[:size])
            for position, swap in enumerate(sample["replacements"], start=size):
                same = swap["in"] == order[position] and swap["out"] in chosen
                require(same, f"{name}: {swap['out']} may not be replaced by {swap['in']}.")
                chosen = chosen - {swap["out"]} | {swap["in"]}
    if names:
        print(f"{len(names)} samples are those that their seeds draw.")


def verify_certified(about, digests, seals):
    """The document of a package is the one that the log says was certified."""
    act, kind, stem = CERTIFIED[about["format"]]
    with judging("package.json"):
        document = about[kind]
    require((act, document) in seals.certified, f"log/entries.jsonl: no entry says that {document} was certified.")
    with judging("log/entries.jsonl"):
        entry = seals.certified[act, document]
        who, at, said = entry["actor"]["name"], entry["at"], entry["details"]
        expected = {f"{stem}.pdf": said["sha256"], f"{stem}.json": said["content_sha256"]}
    for name, digest in sorted(expected.items()):
        require(digests.get(name) == digest, f"{name} is not the document that the log says was certified.")
    print(f"{stem}.pdf and {stem}.json are what {who} certified at {at}.")


def verify(options):
    package = Package(options.package)
    with judging("package.json"):
        about = package.json("package.json")
        tenant, what = about["tenant"]["id"], f"{about['format']} {about['id']} of {about['tenant']['name']}"
        require(about["format"] in FORMATS, f"package.json names a format that is not known here, {about['format']}.")
    keys, signers = read_keys(package, options.key)
    earlier, anchor = own_checkpoint(options.earlier, keys), own_checkpoint(options.anchor, keys)
    digests = verify_files(package, about, signers)
    checkpoint = Checkpoint(package.text("log/checkpoint.txt"), keys, "log/checkpoint.txt")
    require(checkpoint.origin == f"surety/{tenant}", f"log/checkpoint.txt is of another log, {checkpoint.origin}.")
    deleted = read_deleted(package)
    seals = Seals(digests, tenant, deleted)
    roots = verify_entries(package, checkpoint, seals, earlier)
    verify_included(package, checkpoint, seals)
    verify_earlier(package, checkpoint, keys, roots, earlier)
    verify_anchor(package, checkpoint, keys, anchor)
    verify_evidence(package, digests, seals)
    verify_submissions(package, digests, seals, deleted)
    verify_samples(package, digests)
    if about["format"] in CERTIFIED:
        verify_certified(about, digests, seals)
    print(f"ACCEPTED: {what}.")


def own_checkpoint(path, keys):
    """A checkpoint that the reader has from elsewhere."""
    if not path:
        return None
    with open(path, encoding="utf-8", newline="\n") as file:
        return Checkpoint(file.read(CHUNK), keys, path)


def main():
    parser = argparse.ArgumentParser(description="Checks an evidence package or an export of the audit log.")
    parser.add_argument("package", help="a ZIP, or the folder that it was unpacked to")
    parser.add_argument("--key", help="fingerprint (64 hex digits) of the key that must have signed, or the key's line")
    parser.add_argument("--earlier", help="a file with a checkpoint that this log had before")
    parser.add_argument("--anchor", help="a file with the anchor, fetched from the write-once store")
    options = parser.parse_args()
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        verify(options)
    except Refused as refusal:
        print(f"REFUSED: {refusal}")
        return 1
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        print(f"UNREADABLE: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

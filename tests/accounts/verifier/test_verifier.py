"""The stand-alone verifier in an empty directory: what it accepts, and the sentence by which it refuses each tampering.

The packages here are made by hand (synthetic.py), so that the verifier is not judged by the product that it judges.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.accounts.verifier.synthetic import (
    EARLY,
    OTHER,
    PARTIAL,
    TENANT,
    WHOLE,
    Draft,
    Signer,
    b64,
    entry,
    leaf,
    path,
    peaks,
    zipped,
)  # fmt: skip

VERIFIER = Path(__file__).parents[3] / "accounts" / "audit" / "verifier" / "verify.py"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A directory with the verifier and nothing else."""
    shutil.copy(VERIFIER, tmp_path)
    return tmp_path


def verify(
    folder: Path, files: dict[str, bytes] | bytes, *arguments: str
) -> subprocess.CompletedProcess[str]:
    (folder / "package.zip").write_bytes(files if isinstance(files, bytes) else zipped(files))
    return run(folder, "package.zip", *arguments)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    found = subprocess.run(
        [sys.executable, "-I", "-W", "error", "verify.py", *arguments], cwd=folder, capture_output=True, text=True,
        check=False, timeout=300, env={"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert "Traceback" not in found.stderr, found.stderr
    return found


def refusal(folder: Path, files: dict[str, bytes] | bytes, *arguments: str) -> str:
    """The one sentence that the package is refused by."""
    found = verify(folder, files, *arguments)
    assert found.returncode == 1, found.stdout + found.stderr
    last = found.stdout.splitlines()[-1]
    assert last.startswith("REFUSED: ") and last.endswith(".") and found.stdout.count("REFUSED") == 1
    return last.removeprefix("REFUSED: ")


def test_nothing_of_ours_can_be_imported_where_it_runs(empty):
    (empty / "probe.py").write_text(
        "import sys, importlib.util as u; sys.exit(u.find_spec('accounts') is not None)"
    )
    assert subprocess.run([sys.executable, "-I", "probe.py"], cwd=empty, check=False).returncode == 0
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", VERIFIER.read_text(), re.MULTILINE))
    assert imported <= sys.stdlib_module_names | {"cryptography"}


def test_an_untouched_package_is_accepted_sentence_by_sentence(empty):
    draft = Draft()
    found = verify(empty, draft.seal(), "--key", draft.old_key.fingerprint)
    assert found.returncode == 0, found.stdout
    said = found.stdout.splitlines()
    assert said[-1].startswith("ACCEPTED: surety-evidence-package/1")
    for part in ("All 16 files", "14, of which 2 are withheld", "1 entries from before", "begins with the 6 entries",
                 "in the anchor of 5 checkpoints", "3 pieces of evidence", "1 samples"):  # fmt: skip
        assert any(part in sentence for sentence in said), (part, said)


def test_an_unpacked_folder_is_accepted_and_its_extra_file_refused(empty):
    with zipfile.ZipFile(empty / "p.zip", "w") as archive:
        for name, data in Draft().seal().items():
            archive.writestr(name, data)
    with zipfile.ZipFile(empty / "p.zip") as archive:
        archive.extractall(empty / "p")
    assert run(empty, "p").returncode == 0
    (empty / "p" / "log" / "more.txt").write_text("x")
    found = run(empty, "p")
    assert found.returncode == 1 and "log/more.txt was added" in found.stdout
    (empty / "p" / "log" / "more.txt").unlink()
    (empty / "p" / "index.html").unlink()
    (empty / "p" / "index.html").symlink_to("README.txt")
    found = run(empty, "p")
    assert found.returncode == 1 and "index.html is a link" in found.stdout


def test_without_a_named_key_it_says_which_fingerprint_to_compare(empty):
    draft = Draft()
    assert draft.key.fingerprint in verify(empty, draft.seal()).stdout.splitlines()[0]


@pytest.mark.parametrize("size", range(1, 34))
def test_logs_of_every_small_size_are_accepted_from_every_kind_of_start(size):
    """In this process: the arithmetic of trees alone, against the recursions of RFC 6962."""
    verifier = load()
    leaves = [leaf(bytes([number])) for number in range(size)]
    from tests.accounts.verifier.synthetic import proof, root

    for first in range(size + 1):
        tree = verifier.Tree(first, peaks(leaves[:first]))
        for each in leaves[first:]:
            tree.append(each)
        assert tree.root() == root(leaves)
    for index in range(size):
        encoded = [b64(each) for each in path(index, leaves)]
        assert verifier.included_root(leaves[index], index, size, encoded) == root(leaves)
        for wrong in set(range(size)) - {index}:
            assert not proves(verifier, leaves[index], wrong, size, encoded, root(leaves))
    for old in range(1, size):
        older, newer = Stub(old, root(leaves[:old])), Stub(size, root(leaves))
        encoded = [b64(each) for each in proof(old, leaves)]
        assert verifier.consistent_roots(older, newer, encoded) == (older.root, newer.root)


class Stub:
    def __init__(self, size, root):
        self.size, self.root = size, root


def proves(verifier, leaf_hash, index, size, encoded, root) -> bool:
    try:
        return verifier.included_root(leaf_hash, index, size, encoded) == root
    except ValueError:
        return False


def load():
    import importlib.util

    spec = importlib.util.spec_from_file_location("stand_alone_verifier", VERIFIER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Somebody on the way, who can't sign.


def _flip(files, name):
    files[name] = bytes([files[name][0] ^ 1]) + files[name][1:]


def _relist(files, name):
    """The manifest is put right, which breaks its signature."""
    import hashlib

    manifest = json.loads(files["manifest.json"])
    for each in manifest["files"]:
        if each["path"] == name:
            each["sha256"], each["bytes"] = hashlib.sha256(files[name]).hexdigest(), len(files[name])
    files["manifest.json"] = json.dumps(manifest).encode()


def change_evidence(files):
    files[f"evidence/{WHOLE}.json"] = files[f"evidence/{WHOLE}.json"].replace(b"true", b"null")


def change_evidence_and_manifest(files):
    change_evidence(files)
    _relist(files, f"evidence/{WHOLE}.json")


def remove_an_entry(files):
    files["log/entries.jsonl"] = b"".join(files["log/entries.jsonl"].splitlines(keepends=True)[:-1])


def take_a_signature_from_elsewhere(files):
    files["signature.txt"] = Signer().note("surety-evidence-package/1\nx\ny\n").encode()


def replace_the_keys(files):
    files["log/keys.json"] = json.dumps({"keys": [{"vkey": Signer().vkey, "certificate": None}]}).encode()


def replace_one_signature_byte(files):
    text, _, line = files["signature.txt"].decode().rpartition(" ")
    raw = bytearray(base64.b64decode(line))
    raw[20] ^= 1
    files["signature.txt"] = f"{text} {b64(bytes(raw))}\n".encode()


ON_THE_WAY = [
    (change_evidence, f"evidence/{WHOLE}.json was changed"),
    (change_evidence_and_manifest, "signature.txt signs another manifest.json"),
    (remove_an_entry, "log/entries.jsonl was changed"),
    (lambda files: files.pop("index.html"), "index.html is missing"),
    (lambda files: files.pop("signature.txt"), "signature.txt is missing"),
    (lambda files: files.update({"evidence/x.json": b"{}"}), "evidence/x.json was added"),
    (lambda files: files.update({"../../etc/cron.d/x": b"{}"}), "../../etc/cron.d/x was added"),
    (lambda files: files.update({"README.txt": files["README.txt"] * 10_000_000}), "README.txt was changed"),
    (take_a_signature_from_elsewhere, "signature.txt is not signed by a key of the log"),
    (replace_one_signature_byte, "signature.txt: the signature does not belong to the text"),
    (replace_the_keys, "signature.txt is not signed by a key of the log"),
    (lambda files: _flip(files, "manifest.json"), "signature.txt signs another manifest.json"),
    (lambda files: _flip(files, "package.json"), "package.json is not in the form"),
    (lambda files: files.update({"log/keys.json": b"\xff"}), "log/keys.json is not in the form"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tamper", "sentence"), ON_THE_WAY, ids=[sentence for _tamper, sentence in ON_THE_WAY]
)
def test_what_was_changed_on_the_way_is_refused_by_name(empty, tamper, sentence):
    files = Draft().seal()
    tamper(files)
    assert sentence in refusal(empty, files)


def test_a_package_that_somebody_else_made_is_refused_by_the_named_key(empty):
    genuine, forged = Draft(), Draft()
    assert verify(empty, forged.seal()).returncode == 0
    assert "no key with the fingerprint" in refusal(empty, forged.seal(), "--key", genuine.key.fingerprint)


def test_a_retired_key_signs_nothing_for_who_names_its_successor(empty):
    draft = Draft()
    stolen = draft.seal(draft.old_key)
    assert "signature.txt is not signed by a key of the log that may" in refusal(
        empty, stolen, "--key", draft.key.fingerprint
    )


def test_a_key_that_nobody_certifies_is_told_and_is_not_trusted_for_the_one_before(empty):
    draft = Draft()
    draft.put(
        "log/keys.json",
        {"keys": [{"vkey": key.vkey, "certificate": None} for key in (draft.old_key, draft.key)]},
    )
    files = draft.seal()
    found = verify(empty, files, "--key", draft.key.fingerprint)
    assert found.returncode == 0 and f"no key certifies {draft.key.fingerprint}" in found.stdout
    assert "may sign it" in refusal(empty, files, "--key", draft.old_key.fingerprint)


def test_a_name_that_stands_twice_in_the_zip_is_refused(empty):
    files = Draft().seal()
    with zipfile.ZipFile(empty / "twice.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("README.txt", b"another")
    found = run(empty, "twice.zip")
    assert found.returncode == 1 and "holds 'README.txt' twice" in found.stdout


def test_bytes_damaged_inside_the_zip_are_refused(empty):
    files = Draft().seal()
    files["index.html"] = bytes(range(256)) * 64
    data = bytearray(zipped(Draft().seal()))
    place = data.index(b"index.html") + 12
    data[place] ^= 0xFF
    assert "index.html" in refusal(empty, bytes(data))


# The operator, who can sign the package but not make the log's checkpoints say what they don't.


def _edit_entries(draft, edit):
    lines = draft.get_lines("log/entries.jsonl")
    draft.put_lines("log/entries.jsonl", edit(lines))


def change_an_entry(draft):
    _edit_entries(draft, lambda lines: [{**lines[0], "body": entry(9, "posture.read").decode()}, *lines[1:]])


def swap_two_entries(draft):
    def swap(lines):
        lines[0]["body"], lines[4]["body"] = lines[4]["body"], lines[0]["body"]
        return lines

    _edit_entries(draft, swap)


def reveal_another_in_place_of_a_withheld_one(draft):
    _edit_entries(draft, lambda lines: [*lines[:3], {"index": 12, "body": entry(99).decode()}, *lines[4:]])


def bring_another_tenants_entry(draft):
    _edit_entries(draft, lambda lines: [{**lines[0], "body": entry(9, tenant=OTHER).decode()}, *lines[1:]])


def start_later(draft):
    segment = draft.get("log/segment.json")
    draft.put("log/segment.json", {**segment, "first": 10})


def claim_another_beginning(draft):
    segment = draft.get("log/segment.json")
    draft.put("log/segment.json", {**segment, "before": [b64(b"x" * 32), segment["before"][1]]})


def move_a_boundary_of_hashes(draft):
    segment = draft.get("log/segment.json")
    first, second = (base64.b64decode(each) for each in segment["before"])
    draft.put("log/segment.json", {**segment, "before": [b64(first + second[:1]), b64(second[1:])]})


def another_tenants_checkpoint(draft):
    draft.files["log/checkpoint.txt"] = draft.checkpoint(23, origin=f"surety/{OTHER}").encode()


def an_older_checkpoint(draft):
    draft.files["log/checkpoint.txt"] = draft.checkpoint(20).encode()


def a_strangers_checkpoint(draft):
    draft.files["log/checkpoint.txt"] = draft.checkpoint(23, key=Signer()).encode()


def a_rewritten_log(draft):
    kept = draft.files["log/earlier.json"]
    draft.bodies[2] = entry(2, "invented")
    draft.write()
    draft.files["log/earlier.json"] = kept


def an_anchor_of_another_log(draft):
    anchor = draft.get("log/anchor.json")
    draft.bodies[20] = entry(20, "invented")
    draft.write()
    draft.put("log/anchor.json", anchor)


def an_uncertified_key(draft):
    keys = draft.get("log/keys.json")
    keys["keys"].append({"vkey": Signer().vkey, "certificate": keys["keys"][1]["certificate"]})
    draft.put("log/keys.json", keys)


def a_key_certified_by_nobody(draft):
    keys, stranger = draft.get("log/keys.json"), Signer()
    keys["keys"].append({"vkey": stranger.vkey, "certificate": stranger.certify(stranger)})
    draft.put("log/keys.json", keys)


def a_key_with_anothers_certificate(draft):
    keys, stranger = draft.get("log/keys.json"), Signer()
    keys["keys"].append({"vkey": stranger.vkey, "certificate": draft.key.certify(draft.old_key)})
    draft.put("log/keys.json", keys)


def evidence_of_another_day(draft):
    draft.files[f"evidence/{WHOLE}.json"] = b'{"Volumes": []}'


def a_salt_of_other_evidence(draft):
    draft.put("log/salts.json", {WHOLE: "00" * 32})


def evidence_that_nobody_sealed(draft):
    draft.files[f"evidence/{OTHER}.json"] = b"{}"


def evidence_whose_sealing_is_left_out(draft):
    draft.files.pop("log/inclusion.jsonl")


def a_sealing_that_never_was(draft):
    lines = draft.get_lines("log/inclusion.jsonl")
    draft.put_lines(
        "log/inclusion.jsonl", [{**lines[0], "body": entry(3, "evidence.seal", EARLY, sha256="0").decode()}]
    )


def _edit_fields(draft, edit):
    name = f"evidence/{PARTIAL}.withheld.json"
    document = draft.get(name)
    document["leaves"] = edit(document["leaves"])
    draft.put(name, document)


def a_field_that_says_otherwise(draft):
    _edit_fields(draft, lambda leaves: [{**leaves[0], "value": "Zoe"}, *leaves[1:]])


def a_field_left_out(draft):
    _edit_fields(draft, lambda leaves: leaves[:-1])


def fields_out_of_order(draft):
    _edit_fields(draft, lambda leaves: [leaves[2], leaves[1], leaves[0], *leaves[3:]])


def _edit_sample(draft, **changes):
    draft.put("samples/1.json", {**draft.get("samples/1.json"), **changes})


def a_sample_chosen_by_hand(draft):
    sample = draft.get("samples/1.json")
    _edit_sample(draft, drawn=sample["population"][:5])


def a_population_that_shrank(draft):
    sample = draft.get("samples/1.json")
    _edit_sample(draft, population=[each for each in sample["population"] if each not in sample["drawn"]])


def a_replacement_chosen_by_hand(draft):
    sample = draft.get("samples/1.json")
    spare = next(
        each
        for each in sample["population"]
        if each not in [*sample["drawn"], sample["replacements"][0]["in"]]
    )
    _edit_sample(draft, replacements=[{**sample["replacements"][0], "in": spare}])


BY_THE_OPERATOR = [
    (change_an_entry, "don't give the root of log/checkpoint.txt"),
    (swap_two_entries, "don't give the root of log/checkpoint.txt"),
    (reveal_another_in_place_of_a_withheld_one, "don't give the root of log/checkpoint.txt"),
    (lambda draft: _edit_entries(draft, lambda lines: lines[:4] + lines[5:]),
     "log/entries.jsonl: entry 14 stands where entry 13 of 23 was to come"),
    (lambda draft: _edit_entries(draft, lambda lines: [*lines[:2], lines[1], *lines[2:]]),
     "log/entries.jsonl: entry 10 stands where entry 11 of 23 was to come"),
    (lambda draft: _edit_entries(draft, lambda lines: lines[:-3]), "the last 3 of 23 entries are missing"),
    (lambda draft: _edit_entries(draft, lambda lines: [*lines, {"index": 23, "body": entry(23).decode()}]),
     "entry 23 stands where entry 23 of 23 was to come"),
    (bring_another_tenants_entry, f"entry 9 is from the log of another tenant, {OTHER}"),
    (start_later, "log/entries.jsonl: entry 9 stands where entry 10"),
    (claim_another_beginning, "don't give the root of log/checkpoint.txt"),
    (move_a_boundary_of_hashes, "log/segment.json is not in the form"),
    (another_tenants_checkpoint, f"log/checkpoint.txt is of another log, surety/{OTHER}"),
    (an_older_checkpoint, "log/segment.json speaks of 23 entries, log/checkpoint.txt of 20"),
    (a_strangers_checkpoint, "log/checkpoint.txt is not signed by a key of the log"),
    (a_rewritten_log, "log/earlier.json: the log of 6 entries"),
    (an_anchor_of_another_log, "log/anchor.json does not hold the checkpoint"),
    (an_uncertified_key, "log/keys.json: the certificate of surety+"),
    (a_key_certified_by_nobody, "log/keys.json: the certificate of surety+"),
    (a_key_with_anothers_certificate, "is about another key"),
    (evidence_of_another_day, f"evidence/{WHOLE}.json is not the evidence that the log says was sealed"),
    (a_salt_of_other_evidence, f"evidence/{WHOLE}.json is not the evidence that the log says was sealed"),
    (lambda draft: draft.files.pop("log/salts.json"), f"evidence/{WHOLE}.json is not the evidence"),
    (evidence_that_nobody_sealed, f"evidence/{OTHER}.json: no entry of the log in this package says"),
    (evidence_whose_sealing_is_left_out, f"evidence/{EARLY}.json: no entry of the log"),
    (a_sealing_that_never_was, "log/inclusion.jsonl: entry 3 is not what the log holds there"),
    (a_field_that_says_otherwise, f"evidence/{PARTIAL}.withheld.json is not the evidence"),
    (a_field_left_out, f"evidence/{PARTIAL}.withheld.json is not the evidence"),
    (fields_out_of_order, "A field, /a, is out of order"),
    (a_sample_chosen_by_hand, "samples/1.json: the seed draws another sample"),
    (a_population_that_shrank, "samples/1.json: the population is not the one"),
    (a_replacement_chosen_by_hand, "may not be replaced by"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    BY_THE_OPERATOR,
    ids=[f"{n}: {sentence}" for n, (_t, sentence) in enumerate(BY_THE_OPERATOR)],
)
def test_what_the_log_does_not_say_is_refused_even_when_signed(empty, tamper, sentence):
    draft = Draft()
    tamper(draft)
    assert sentence in refusal(empty, draft.seal())


# What the reader holds from elsewhere.


@pytest.mark.parametrize("size", [6, 9, 14, 23])
def test_a_log_that_continues_the_readers_checkpoint_is_accepted(empty, size):
    draft = Draft()
    (empty / "note").write_text(draft.checkpoint(size, key=draft.old_key))
    found = verify(empty, draft.seal(), "--earlier", "note")
    assert found.returncode == 0 and f"begins with the {size} entries of note" in found.stdout


@pytest.mark.parametrize(("size", "sentence"), [
    (6, "does not continue the 6 entries of note: the log was rewritten"),
    (9, "does not continue the 9 entries of note: the log was rewritten"),
    (14, "does not continue the 14 entries of note: the log was rewritten"),
    (23, "does not continue the 23 entries of note: the log was rewritten"),
    (24, "has fewer than the 24 entries of note: the tail is missing"),
    (5, "has no proof from the 5 entries of note"),
])  # fmt: skip
def test_a_log_that_does_not_continue_the_readers_checkpoint_is_refused(empty, size, sentence):
    draft = Draft()
    before = Draft(old_key=draft.old_key, key=draft.key)
    before.bodies = [entry(0, "was.so"), *before.bodies[1:], entry(23)]
    (empty / "note").write_text(before.checkpoint(size))
    assert sentence in refusal(empty, draft.seal(), "--earlier", "note")


def test_the_anchor_that_the_reader_fetched_decides(empty):
    draft = Draft()
    (empty / "same").write_text(draft.get("log/anchor.json")["note"])
    (empty / "other").write_text(draft.global_note([b"1", b"2", b"3", b"4", b"5"]))
    (empty / "smaller").write_text(draft.global_note([b"1"]))
    files = draft.seal()
    assert "the one that you fetched" in verify(empty, files, "--anchor", "same").stdout
    assert "log/anchor.json is not what was anchored" in refusal(empty, files, "--anchor", "other")
    assert "fetch the anchor of 5 checkpoints, not 1" in refusal(empty, files, "--anchor", "smaller")
    draft.files.pop("log/anchor.json")
    assert verify(empty, draft.seal()).returncode == 0
    assert "log/anchor.json is missing" in refusal(empty, draft.seal(), "--anchor", "same")


@pytest.mark.parametrize(
    "arguments", [["nothing.zip"], ["verify.py"], [], ["verify.py", "--earlier", "nothing"]]
)
def test_what_cannot_be_read_is_neither_accepted_nor_refused(empty, arguments):
    found = run(empty, *arguments)
    assert found.returncode == 2
    assert "ACCEPTED" not in found.stdout and "REFUSED" not in found.stdout


def test_the_tenants_name_and_a_log_without_evidence_do_not_matter(empty):
    draft = Draft()
    about = {
        **draft.get("package.json"),
        "format": "surety-log-export/1",
        "tenant": {"id": TENANT, "name": "診\udc00所"},
    }
    draft.files = {name: data for name, data in draft.files.items() if name.startswith(("log/", "README"))}
    draft.files["package.json"] = json.dumps(about).encode()
    assert verify(empty, draft.seal()).returncode == 0

"""Ten ways to tamper with a package of a really collected account: each is refused with a sentence."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.assessments.packages.conftest import bytes_of
from tests.assessments.packages.test_package import verify

BUCKETS = "/calls/ListBuckets/*/response/Buckets/*/Name"
Files = dict[str, bytes]


def _some(files: Files, start: str, end: str = "") -> str:
    return max(
        (name for name in files if name.startswith(start) and name.endswith(end)),
        key=lambda name: len(files[name]),
    )


def _flip_evidence(files: Files) -> None:
    name = next(
        name for name in files if name.startswith("evidence/") and not name.endswith(".withheld.json")
    )
    content = bytearray(files[name])
    content[len(content) // 2] ^= 1
    files[name] = bytes(content)


def _drop_evidence(files: Files) -> None:
    del files[_some(files, "evidence/")]


def _add_file(files: Files) -> None:
    files["evidence/01a20270-2c52-7734-8e32-000000000000.json"] = b"{}"


def _swap_evidence(files: Files) -> None:
    first, second = sorted(name for name in files if name.startswith("evidence/"))[:2]
    files[first], files[second] = files[second], files[first]


def _change_status(files: Files) -> None:
    name = next(name for name in files if b'"status": "not_satisfied"' in files[name])
    files[name] = files[name].replace(b'"status": "not_satisfied"', b'"status": "satisfied"', 1)


def _change_finding(files: Files) -> None:
    name = next(name for name in files if name.endswith("findings.csv") and b",FAIL," in files[name])
    files[name] = files[name].replace(b",FAIL,", b",PASS,", 1)


def _change_entry(files: Files) -> None:
    files["log/entries.jsonl"] = files["log/entries.jsonl"].replace(
        b"collection.finish", b"collection.starts", 1
    )


def _drop_entry(files: Files) -> None:
    lines = files["log/entries.jsonl"].splitlines(keepends=True)
    files["log/entries.jsonl"] = b"".join(lines[:1] + lines[2:])


def _change_withheld_value(files: Files) -> None:
    name = _some(files, "evidence/", ".withheld.json")
    document = json.loads(files[name])
    leaf = next(leaf for leaf in document["leaves"] if leaf.get("value") is False)
    leaf["value"] = True
    files[name] = json.dumps(document).encode()


def _sign_another(files: Files) -> None:
    files["signature.txt"] = files["signature.txt"].replace(
        b"surety-evidence-package/1\n", b"surety-log-export/1\n", 1
    )


TAMPERINGS: dict[str, tuple[Callable[[Files], None], str]] = {
    "a bit of evidence": (_flip_evidence, "evidence/"),
    "evidence removed": (_drop_evidence, "is missing"),
    "evidence added": (_add_file, "evidence/01a20270-2c52-7734-8e32-000000000000.json"),
    "evidence swapped": (_swap_evidence, "evidence/"),
    "a status bettered": (_change_status, "index.json"),
    "a finding bettered": (_change_finding, "findings.csv"),
    "an entry of the log changed": (_change_entry, "log/entries.jsonl"),
    "an entry of the log dropped": (_drop_entry, "log/entries.jsonl"),
    "a value beside withheld ones": (_change_withheld_value, ".withheld.json"),
    "another text signed": (_sign_another, "signature.txt"),
}


@pytest.fixture
def files(make) -> Files:
    with zipfile.ZipFile(io.BytesIO(bytes_of(make(withheld=[BUCKETS])))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zip(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_what_was_tampered_with_is_refused_with_a_sentence_that_names_the_place(files, tmp_path):
    assert verify(tmp_path / "empty", _zip(tmp_path / "whole.zip", files))[0] == 0
    for what, (tamper, place) in TAMPERINGS.items():
        changed = dict(files)
        tamper(changed)
        assert changed != files, what
        code, said = verify(tmp_path / "empty", _zip(tmp_path / "changed.zip", changed))
        last = said.strip().splitlines()[-1]
        assert (code, last.startswith("REFUSED: ")) == (1, True), f"{what}: {said}"
        assert place in last, f"{what}: {last}"


def test_another_key_than_the_readers_is_refused(files, tmp_path):
    path = _zip(tmp_path / "whole.zip", files)
    assert verify(tmp_path / "empty", path, "--key", "0" * 64)[0] == 1
    said = verify(tmp_path / "empty", path)[1]
    fingerprint = said.partition("fingerprint: ")[2].split()[0].rstrip(".")
    assert verify(tmp_path / "empty", path, "--key", fingerprint)[0] == 0

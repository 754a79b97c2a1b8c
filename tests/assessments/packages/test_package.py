"""A package of a really collected account, checked by its own verifier in an empty directory."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from accounts.audit.package import VERIFIER
from assessments.rule.model import SECURITY_RULE
from tests.assessments.packages.conftest import bytes_of


def verify(folder: Path, package: Path, *options: str) -> tuple[int, str]:
    """The verifier, copied to a folder of its own, with nothing of ours to import."""
    folder.mkdir(exist_ok=True)
    program = folder / "verify.py"
    program.write_bytes(VERIFIER.read_bytes())
    done = subprocess.run(
        [sys.executable, "-I", str(program), str(package), *options], cwd=folder, capture_output=True, text=True, env={},
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def package(make):
    return make()


@pytest.fixture
def zipped(package, tmp_path) -> Path:
    path = tmp_path / "package.zip"
    path.write_bytes(bytes_of(package))
    return path


def test_the_verifier_accepts_a_package_of_the_collected_account(package, zipped, tmp_path):
    code, said = verify(tmp_path / "empty", zipped)
    assert code == 0, said
    assert "pieces of evidence" in said or str(package.contents["evidence"]) in said
    assert "ACCEPTED" in said
    assert package.contents["evidence"] > 15
    assert package.contents["left_out"] == 0


def test_it_holds_every_safeguard_with_status_reasons_coverage_evidence_and_findings(zipped):
    failing = 0
    with zipfile.ZipFile(zipped) as archive:
        names = set(archive.namelist())
        for citation in SECURITY_RULE:
            about = json.loads(archive.read(f"safeguards/{citation}/index.json"))
            assert about["status"]
            assert about["why"]
            assert about["coverage"]["decided"] <= about["coverage"]["total"]
            assert set(about["evidence"]) <= names
            failed = sum(check["failed"] for check in about["checks"])
            assert failed == (_failing_rows(archive, citation) if about["findings"] else 0)
            failing += failed
    assert failing > 20
    assert {"README.txt", "verify.py", "package.json", "index.html", "index.pdf", "log/anchor.json"} <= names


def _failing_rows(archive: zipfile.ZipFile, citation: str) -> int:
    with archive.open(f"safeguards/{citation}/findings.csv") as file:
        rows = list(csv.DictReader(io.TextIOWrapper(file, "utf-8", newline="")))
    return sum(row["outcome"] == "FAIL" and not row["valid_to"] for row in rows)


def test_the_index_is_one_page_without_script_that_escapes_what_it_shows(zipped):
    with zipfile.ZipFile(zipped) as archive:
        html, pdf = archive.read("index.html").decode(), archive.read("index.pdf")
    assert "<script" not in html
    assert "src=" not in html
    assert "Mercy &lt;Lakes&gt; &amp; Hospital" in html
    assert "What is not claimed" in html
    assert pdf.startswith(b"%PDF-1.")

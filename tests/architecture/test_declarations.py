"""Who may import whom, as pyproject.toml declares it: kept by the code, and broken by every breach that it is for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
CONTRACTS = [
    contract["name"]
    for contract in tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
]
BREACHES = {
    "evidence/types.py": "import assessments.models",
    "accounts/models.py": "import accounts.services",
    "accounts/audit/log.py": "import accounts.models",
    "evidence/models.py": "import evidence.services\nimport accounts.tenancy.unscoped\nimport celery",
    "evidence/vault/errors.py": "import evidence.services",
    "evidence/services/entry.py": "import botocore\nimport accounts.audit.models",
    "evidence/collectors/kms.py": "import evidence.collectors.s3\nimport django.db",
    "evidence/formats/junit.py": "import evidence.formats.sarif\nimport django.db",
    "assessments/status.py": "import assessments.models",
    "assessments/checks/s3/s3_bucket_versioning.py": "import django\nimport assessments.checks.kms.kms_key_rotation",
}
"""At least one breach of each contract, by file."""


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    environment = {**os.environ, "COLUMNS": "400", "PYTHONPATH": str(folder)}
    return subprocess.run(
        [program, "--no-cache"], cwd=folder, capture_output=True, text=True, env=environment, check=False
    )


def test_the_code_imports_as_declared():
    found = lint(CHECKOUT)
    assert found.returncode == 0, found.stdout


@pytest.fixture
def breached(tmp_path: Path) -> Path:
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    for app in ("portal", "tasks", "assessments", "evidence", "accounts"):
        shutil.copytree(
            CHECKOUT / app,
            tmp_path / app,
            ignore=shutil.ignore_patterns("static", "templates", "__pycache__"),
        )
    for path, lines in BREACHES.items():
        with (tmp_path / path).open("a") as file:
            file.write(f"\n{lines}\n")
    return tmp_path


def test_every_declaration_is_broken_by_its_breach(breached):
    found = lint(breached)
    assert found.returncode == 1, found.stdout + found.stderr
    kept = [name for name in CONTRACTS if f"{name} BROKEN" not in found.stdout]
    assert kept == [], found.stdout

"""Logs that the product wrote, sealed, anchored and exported: the verifier and verify_log accept them as they are."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections, transaction
from psycopg import sql

from accounts.audit import proofs
from accounts.audit.anchor import DirectoryAnchor, newest_note
from accounts.audit.events import Act
from accounts.audit.keys import LocalSigner, rotate_key
from accounts.audit.log import record
from accounts.audit.package import PackageFormat, PackageInfo, stream_package
from accounts.audit.segment import choose_segment, find_stretch, segment_parts
from accounts.audit.service import Pace, SealerService
from accounts.audit.signing import request_signature
from accounts.errors import Unavailable
from accounts.tenancy.scope import open_tenant
from portal.embedded import Role, postgres_address
from tests import conftest
from tests.accounts.audit.kit import Log
from tests.accounts.verifier.test_verifier import VERIFIER, refusal, run, verify
from tests.environment import STATE
from tests.factories import make_tenant

SIGNERS = [LocalSigner(f"the {word} signing key of a portal under test") for word in ("first", "second")]
EVIDENCE = b'{"Volumes": [{"Encrypted": true}]}'


class Portal:
    """A portal's database of its own, its anchor store, and its sealer."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder, self.store = name, folder, DirectoryAnchor(folder / "anchor")
        self.signers = SIGNERS[:1]

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(postgres_address(STATE).dsn(Role.SEALER, self.name), autocommit=True)

    def sealer(self) -> SealerService:
        return SealerService(self.connect, self.signers, self.store, Pace(0.02, 0.05))

    def seal(self) -> None:
        """One round, once no transaction of another test's database holds the sealer back (see tests.accounts.audit.kit)."""
        Log(self.name, self.store).wait_for_others()
        self.sealer().run_once()

    def rotate(self) -> None:
        with self.connect() as connection:
            rotate_key(connection, old=SIGNERS[0], new=SIGNERS[1])
        self.signers = SIGNERS[1:]

    def superuser(self, statement: str, *values: object) -> None:
        with psycopg.connect(conftest.superuser_dsn(self.name)) as database:
            database.execute("set session_replication_role = replica")
            assert database.execute(statement, values).rowcount > 0

    def verify_log(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        address = postgres_address(STATE)
        environment = {
            **os.environ,
            "ANCHOR_DIRECTORY": str(self.folder / "anchor"),
            **{
                f"DATABASE_URL_{role.upper()}": address.dsn(role, self.name)
                for role in Role
                if role is not Role.SUPERUSER
            },
        }
        return subprocess.run(
            [sys.executable, "manage.py", "verify_log", "--processes", "2", *arguments],
            cwd=conftest.CHECKOUT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture
def portal(django_db_setup: None, transactional_db: None, tmp_path: Path) -> Iterator[Portal]:
    """In a clone of the migrated template, to which Django is connected as portal_app."""
    name, default = f"surety_proof_{secrets.token_hex(6)}", connections["default"]
    with conftest._Locked("template"):
        conftest._recreate(name, conftest.TEMPLATE)
    before = default.settings_dict["NAME"]
    default.close()
    default.settings_dict["NAME"] = name
    try:
        yield Portal(name, tmp_path)
    finally:
        default.close()
        default.settings_dict["NAME"] = before
        with psycopg.connect(conftest.superuser_dsn(), autocommit=True) as database:
            database.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    shutil.copy(VERIFIER, folder)
    return folder


def write(tenant: Any, count: int) -> None:
    for number in range(count):
        with open_tenant(tenant.pk):
            record(Act.EVIDENCE_READ, object_type="snapshot", object_id=f"s-{number}")


def seal_evidence(tenant: Any, snapshot: str) -> None:
    with open_tenant(tenant.pk):
        record(
            Act.EVIDENCE_SEAL,
            object_type="snapshot",
            object_id=snapshot,
            sha256=hashlib.sha256(EVIDENCE).hexdigest(),
        )


@pytest.fixture
def sealed(portal: Portal) -> Any:
    """A tenant with two hundred and ninety-two entries under two keys, beside another one, all sealed and anchored."""
    tenant, other = make_tenant("Klinik Zoë"), make_tenant()
    write(tenant, 30)
    seal_evidence(tenant, "early")
    write(other, 3)
    portal.seal()
    portal.rotate()
    write(tenant, 260)
    seal_evidence(tenant, "late")
    portal.seal()
    return tenant


def export(tenant: Any, *, first: int = 0, **options: Any) -> bytes:
    segment = choose_segment(tenant_id=tenant.pk, first=first)
    kind = PackageFormat.EVIDENCE if options.get("sealed") else PackageFormat.LOG
    info = PackageInfo(format=kind, tenant_id=tenant.pk, tenant_name=tenant.name, more={"scope": "all"})
    parts = [(f"evidence/{name}.json", [EVIDENCE]) for name in options.get("sealed", ())]
    return b"".join(stream_package(info=info, parts=[*parts, *segment_parts(segment, **options)], sign=sign))


def sign(text: str) -> str:
    from accounts.audit.notes import write_note

    return write_note(text, SIGNERS[1].public_key, SIGNERS[1].sign)


def test_an_export_of_the_whole_log_is_accepted_with_its_anchor_and_its_earlier_checkpoint(
    portal, sealed, empty
):
    package = export(sealed, earlier_size=31)
    (empty / "anchor").write_text(newest_note(portal.store)[1])
    with open_tenant(sealed.pk):
        first, newest = (hashlib.sha256(key.vkey.encode()).hexdigest() for key in list(proofs.keys()))
    for key in (first, newest):
        found = verify(empty, package, "--anchor", "anchor", "--key", key)
        assert found.returncode == 0, found.stdout
    assert (
        "The log had 292 entries" in found.stdout and "from 0 on, complete and in order: 292" in found.stdout
    )
    assert "begins with the 31 entries" in found.stdout and "the one that you fetched" in found.stdout


def test_a_segment_with_withheld_entries_still_proves_the_evidence_it_comes_with(portal, sealed, empty):
    for first in (0, 30, 31, 256, 291, 292):
        package = export(
            sealed,
            first=first,
            sealed=["early", "late"],
            withhold=lambda entry: entry["object"]["id"] != "s-7",
        )
        found = verify(empty, package)
        assert found.returncode == 0, found.stdout
        assert "2 pieces of evidence are what the log says was sealed" in found.stdout
        assert f"complete and in order: {292 - first}, of which" in found.stdout


def test_a_period_is_exported_up_to_the_first_checkpoint_that_covers_it(portal, empty):
    tenant = make_tenant()
    for _ in range(3):
        write(tenant, 10)
        portal.seal()
    with open_tenant(tenant.pk):
        now = datetime.now(UTC)
        assert find_stretch(since=now - timedelta(hours=1), until=now) == (0, 29)
        assert find_stretch(since=now, until=now + timedelta(hours=1)) is None
    assert choose_segment(tenant_id=tenant.pk, first=3, last=15).size == 20
    with pytest.raises(Unavailable):
        choose_segment(tenant_id=tenant.pk, first=0, last=30)


def test_evidence_that_is_not_sealed_yet_makes_no_package(portal, sealed):
    seal_evidence(sealed, "new")
    with pytest.raises(Unavailable, match="isn't sealed in the audit log yet"):
        export(sealed, sealed=["early", "new"])


TAMPERED = [
    (lambda files: files.update({"log/entries.jsonl": files["log/entries.jsonl"].replace(b"s-7", b"s-8", 1)}),
     "log/entries.jsonl was changed"),
    (lambda files: files.pop("log/anchor.json"), "log/anchor.json is missing"),
    (lambda files: files.update({"evidence/late.json": b"{}"}), "evidence/late.json was changed"),
    (lambda files: files.update({"log/checkpoint.txt": files["log/checkpoint.txt"].replace(b"\n292\n", b"\n291\n")}),
     "log/checkpoint.txt was changed"),
]  # fmt: skip


def test_a_tampered_export_is_refused_by_name(portal, sealed, empty):
    (empty / "p.zip").write_bytes(export(sealed, sealed=["early", "late"]))
    with zipfile.ZipFile(empty / "p.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for tamper, sentence in TAMPERED:
        changed = dict(files)
        tamper(changed)
        assert sentence in refusal(empty, changed)


def test_the_verifier_in_a_package_is_the_product_s_own_and_needs_nothing_else(portal, sealed, empty):
    (empty / "p.zip").write_bytes(export(sealed))
    with zipfile.ZipFile(empty / "p.zip") as archive:
        archive.extractall(empty / "p")
        assert archive.read("verify.py") == VERIFIER.read_bytes()
    shutil.copy(empty / "p" / "verify.py", empty / "verify.py")
    assert run(empty, "p").returncode == 0
    assert "python3 verify.py PACKAGE.zip --key FINGERPRINT" in (empty / "p" / "README.txt").read_text()


def test_the_sealer_signs_what_is_asked_for_while_it_runs_and_never_inside_a_transaction(portal, sealed):
    text = "surety-log-export/1\nx\ny\n"
    with pytest.raises(Unavailable, match="sealer"):
        request_signature(tenant_id=sealed.pk, text=text, patience=0.1)
    with transaction.atomic(), pytest.raises(RuntimeError, match="outside of any transaction"):
        request_signature(tenant_id=sealed.pk, text=text)
    sealer = portal.sealer()
    thread = threading.Thread(target=sealer.run)
    thread.start()
    try:
        note = request_signature(tenant_id=sealed.pk, text=text)
    finally:
        sealer.stop()
        thread.join(20)
    assert not thread.is_alive()
    assert note.startswith(text + "\n\N{EM DASH} surety ")


@pytest.mark.parametrize(
    "path", ["../x", "/etc/x", "a//b", "a/.x", "a\\b", "a\nb", "", "README.txt", "manifest.json", "x" * 300]
)
def test_a_path_that_is_no_path_of_a_package_is_not_packed(path, tmp_path):
    info = PackageInfo(
        format=PackageFormat.LOG,
        tenant_id=PackageInfo.__dataclass_fields__["id"].default_factory(),
        tenant_name="x",
    )
    with pytest.raises(ValueError, match="package"):
        b"".join(stream_package(info=info, parts=[(path, [b"x"])], sign=lambda text: text))


def test_verify_log_finds_nothing_wrong_with_a_log_as_the_product_wrote_it(portal, sealed):
    found = portal.verify_log()
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{sealed.slug}: 292 entries, 2 checkpoints: all as recorded and sealed" in found.stdout
    assert "log of checkpoints: 3 checkpoints, 2 anchors: all as recorded and sealed" in found.stdout
    alone = portal.verify_log("--tenant", sealed.slug)
    assert alone.returncode == 0 and len(alone.stdout.splitlines()) == 2


def test_verify_log_names_the_first_bad_entry_and_the_key_that_is_not_the_pinned_one(portal, sealed):
    portal.superuser(
        "update accounts_auditentry e set actor_name = 'Nobody' from accounts_auditleaf l"
        " where l.id = e.id and l.leaf_index in (17, 200) and l.tenant_id = %s", sealed.pk,
    )  # fmt: skip
    found = portal.verify_log("--key", "0" * 64)
    assert found.returncode == 1, found.stderr
    assert f"{sealed.slug}: 292 entries, 2 checkpoints: WRONG: entry 17 (" in found.stdout
    assert "actor_name are not what its body says; and 1 more" in found.stdout
    assert "none of the log's keys has the fingerprint" in found.stdout


def test_verify_log_misses_what_only_the_anchor_store_still_knows(portal, sealed):
    portal.superuser("delete from accounts_auditcheckpoint where global_index = 2")
    portal.superuser("delete from accounts_auditgloballeaf where index = 2")
    portal.superuser("delete from accounts_auditanchor where size = 3")
    portal.superuser("delete from accounts_auditleaf where leaf_index >= 31")
    portal.superuser("delete from accounts_auditentry where id not in (select id from accounts_auditleaf)")
    portal.superuser("delete from accounts_audittile")
    found = portal.verify_log()
    assert found.returncode == 1, found.stdout
    assert "1 of the 3 checkpoints that it covers are missing here" in found.stdout


def test_verify_log_that_cannot_run_says_why(portal):
    found = portal.verify_log("--tenant", "nobody-here")
    assert (found.returncode, found.stderr.strip()) == (2, "CommandError: There is no tenant nobody-here.")

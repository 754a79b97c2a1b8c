"""What was asked, sampled, said and concluded in an engagement goes into its package, and the samples verify."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.utils import timezone

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.engagements import sampling
from assessments.models import (
    Conclusion,
    EvidenceRequest,
    RequestMessage,
    SafeguardComment,
    Sample,
    SampleDraw,
    SampleItem,
)
from assessments.packages.models import PackageState
from tests.accounts.factories import make_ready_person
from tests.assessments.packages.conftest import bytes_of, work_until
from tests.assessments.packages.test_package import verify
from tests.assessments.packages.test_pages import _engagement

CITATION = "164.312(b)"
POPULATION = sampling.freeze(f"user-{number}" for number in range(40))


@pytest.fixture
def engagement(vault_of):
    auditor = make_ready_person(Role.AUDITOR, vault_of.tenant)
    engagement = _engagement(vault_of, auditor, citations=[CITATION])
    with open_tenant(vault_of.tenant.pk):
        _sampled(engagement, auditor)
        request = EvidenceRequest.objects.create(
            engagement=engagement,
            citation=CITATION,
            title="Show <b>trails</b>",
            due_on=timezone.now(),
            asked_by=auditor,
        )
        RequestMessage.objects.create(
            request=request,
            number=1,
            side="auditor",
            author=auditor,
            act="ask",
            state="asked",
            text="Which trails?",
        )
        SafeguardComment.objects.create(
            engagement=engagement,
            citation=CITATION,
            side="tenant",
            author=vault_of.owner,
            text="All of user-7.",
        )
        for version, shared in ((1, True), (2, False)):
            Conclusion.objects.create(
                engagement=engagement, citation=CITATION, version=version, judgement="effective", shared=shared,
                reasons=f"reasons of version {version}", author=auditor,
            )  # fmt: skip
    return engagement


def _sampled(engagement, auditor) -> None:
    sample = Sample.objects.create(
        engagement=engagement, citation=CITATION, title="Users", extent="few", source="users", population=POPULATION,
        population_sha256=sampling.population_sha256(POPULATION), frozen_by=auditor,
    )  # fmt: skip
    SampleDraw.objects.create(sample=sample, seed="dice: 4 2 6", size=5, drawn_by=auditor)
    drawn = sampling.draw(POPULATION, "dice: 4 2 6", 5)
    items = [SampleItem.objects.create(sample=sample, position=n, item=item) for n, item in enumerate(drawn)]
    instead = sampling.replacement(POPULATION, "dice: 4 2 6", 5)
    assert instead
    SampleItem.objects.create(
        sample=sample, position=5, item=instead, replaces=items[2],
        reason="left the company",
    )  # fmt: skip


def _files(package) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bytes_of(package))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_engagements_work_is_in_its_package_and_its_sample_is_the_one_its_seed_draws(
    ask, engagement, tmp_path
):
    package = work_until(ask(engagement_id=engagement.pk), PackageState.READY)
    path = tmp_path / "package.zip"
    path.write_bytes(bytes_of(package))
    code, said = verify(tmp_path / "empty", path)
    assert (code, "1 samples are those that their seeds draw" in said) == (0, True), said
    files = _files(package)
    assert [name for name in files if name.endswith("index.json")] == [f"safeguards/{CITATION}/index.json"]
    about = json.loads(files[f"safeguards/{CITATION}/index.json"])
    assert [comment["text"] for comment in about["comments"]] == ["All of user-7."]
    html = files["index.html"].decode()
    assert "Show &lt;b&gt;trails&lt;/b&gt;" in html
    assert "left the company" in next(files[name] for name in files if name.startswith("samples/")).decode()


def test_a_conclusion_that_is_not_shared_is_in_no_file(ask, engagement):
    package = work_until(ask(engagement_id=engagement.pk), PackageState.READY)
    assert not [name for name, content in _files(package).items() if b"reasons of version 2" in content]

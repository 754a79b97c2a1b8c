"""What each side of a partnership finds in one place: the documents held of a business associate, the duties owed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from accounts.tenancy.scope import open_tenant
from assessments.agreements.documents import Document
from assessments.questionnaires.models import Answers, Questionnaire
from tests.agreements.factories import PDF, in_days, make_agreement
from tests.questionnaires.kit import Parties, make_parties

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def parties(transactional_db: Any) -> Parties:
    return make_parties()


def test_documents_of_a_business_associate_stand_in_one_place_with_their_files(parties):
    assert _documents(parties) == []
    make_agreement(parties.upstream, associate=parties.partnership.associate, document=Document("a.pdf", PDF))
    asked = parties.send()
    assert [each.title for each in _documents(parties)] == ["Signed agreement, version 1"]
    _hand_in(parties, asked)
    questionnaire, agreement = _documents(parties)
    assert (questionnaire.title, questionnaire.by) == (f"{asked.title}, 2026", "Ada Moss")
    answer = parties.asks.get(agreement.file)
    assert (answer.status_code, answer.content) == (200, PDF)


def test_a_business_associate_reads_what_it_owes_to_a_covered_entity_and_by_when(parties):
    make_agreement(parties.upstream, associate=parties.partnership.associate, ends_on=in_days(40))
    asked = parties.send(due_on=str(in_days(9)))
    assert _owed(parties)[:2] == [in_days(9), in_days(40)]
    _hand_in(parties, asked)
    assert _owed(parties)[:1] == [in_days(40)]


def _documents(parties: Parties) -> list[Any]:
    page = parties.asks.get(f"/business-associates/{parties.associate_id}/documents/")
    assert page.status_code == 200
    return page.context["documents"]


def _owed(parties: Parties) -> list[date]:
    page = parties.answers.get(f"/covered-entities/{parties.partnership.pk}/")
    assert page.status_code == 200
    return [each.at.date() for each in page.context["owed"]]


def _hand_in(parties: Parties, asked: Questionnaire) -> None:
    now = timezone.now()
    with open_tenant(parties.downstream.pk):
        Answers.objects.create(
            viewer_id=parties.upstream.pk, shown_from=now, questionnaire_id=asked.pk, title=asked.title, year=2026,
            upstream_name=asked.upstream_name, round=asked.round, submitted_by="Ada Moss", submitted_at=now,
        )  # fmt: skip

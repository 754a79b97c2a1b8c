"""The checklist of clauses, the letter that names what is missing, and the promise down the chain."""

from __future__ import annotations

import pytest

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.agreements import letter
from assessments.agreements.checklist import Marking, mark_clauses, promises_chain
from assessments.agreements.clauses import CHAIN, CLAUSES, NEEDED, Weight
from assessments.agreements.models import ClauseAnswer, VersionKind
from assessments.agreements.services import NewVersion, add_version, find_agreement
from assessments.models import Agreement
from tests.accounts.factories import make_ready_person, sign_in
from tests.agreements.factories import in_days, make_agreement, terms
from tests.factories import make_person, make_tenant
from tests.partnerships.factories import make_associate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def official(tenant):
    return sign_in(make_ready_person(Role.SECURITY_OFFICIAL, tenant))


def _mark(client, agreement, *clauses: str, answer: str = "missing", **fields):
    path = f"/agreements/{agreement.pk}/clauses/"
    return client.post(path, {"clause": list(clauses), "answer": answer, **fields}, follow=True)


def _fresh(agreement) -> Agreement:
    with open_tenant(agreement.tenant_id):
        return find_agreement(agreement_id=agreement.pk)


def test_every_paragraph_that_a_contract_must_meet_is_looked_for():
    wanted = {f"164.504(e)(2)(ii)({letter})" for letter in "ABCDEFGHIJ"} | {
        "164.504(e)(2)(i)", "164.504(e)(2)(iii)", "164.314(a)(2)(i)(A)", "164.314(a)(2)(i)(B)", "164.314(a)(2)(i)(C)",
        "164.314(a)(2)(iii)",
    }  # fmt: skip
    assert {clause.citation for clause in CLAUSES if clause.id in NEEDED} == wanted
    assert len({clause.id for clause in CLAUSES}) == len(CLAUSES)
    assert all(clause.case for clause in CLAUSES if clause.weight is not Weight.REQUIRED)


def test_clauses_are_marked_one_by_one_or_several_at_once(official, tenant):
    agreement = make_agreement(tenant)
    _mark(official, agreement, "report", "return", answer="present", page="4", quote="§ 2.3")
    answer = _mark(official, agreement, "secretary", reason="Struck out")
    for words in ("Page 4.", "§ 2.3", "Struck out", "1 missing"):
        assert words in answer.content.decode()
    now = _fresh(agreement)
    assert (now.clauses_missing, now.clauses_open) == (1, len(NEEDED) - 3)


def test_the_newest_mark_counts_and_a_clause_that_nobody_needs_is_no_gap(official, tenant):
    agreement = make_agreement(tenant)
    _mark(official, agreement, "report", "aggregation", "contingency")
    assert _fresh(agreement).clauses_missing == 1
    _mark(official, agreement, "report", answer="present")
    assert _fresh(agreement).clauses_missing == 0


@pytest.mark.parametrize(
    ("clause", "fields", "said"),
    [
        ("access", {}, b"Say why it isn&#x27;t applicable"), ("report", {"reason": "x"}, b"Every agreement needs this"),
        ("nonsense", {"reason": "x"}, b"Select a valid choice"), ("access", {"reason": "x", "page": "0"}, b"greater than or equal"),
    ],
)  # fmt: skip
def test_what_is_not_applicable_takes_a_reason_and_not_every_clause_can_be(
    official, tenant, clause, fields, said
):
    answer = _mark(official, make_agreement(tenant), clause, answer="not_applicable", **fields)
    assert answer.status_code == 422
    assert said in answer.content


def test_marks_are_carried_to_the_next_version_as_such(official, tenant):
    agreement = make_agreement(tenant, kind=VersionKind.DRAFT)
    _mark(official, agreement, "report", answer="present")
    with open_tenant(tenant.pk):
        new = NewVersion(VersionKind.DRAFT, terms())
        add_version(agreement_id=agreement.pk, new=new, by=make_person())
    assert b"in version 1: look at it again" in official.get(f"/agreements/{agreement.pk}/").content
    assert _fresh(agreement).clauses_open == len(NEEDED) - 1


def test_the_letter_names_what_is_missing_to_the_business_associate(official, tenant):
    associate = make_associate(tenant, name="Cedar Billing", contact_name="Pat Reed")
    agreement = make_agreement(tenant, associate=associate, breach_hours=90 * 24)
    _mark(official, agreement, "secretary", reason="Struck out")
    _mark(official, agreement, "report", answer="present")
    with open_tenant(tenant.pk):
        facts = letter.facts_of(find_agreement(agreement_id=agreement.pk), by=make_person("Sam Ortiz"))
    assert (facts["associate"], facts["attention"], facts["by"]) == ("Cedar Billing", "Pat Reed", "Sam Ortiz")
    assert [(row["citation"], row["found"]) for row in facts["missing"]] == [
        ("164.504(e)(2)(ii)(I)", "Struck out")
    ]
    assert "60 days at most" in facts["unlawful"][0]
    answer = official.get(f"/agreements/{agreement.pk}/gap-letter.pdf")
    assert answer.content.startswith(b"%PDF-")
    assert answer["Content-Disposition"].startswith("attachment")


def test_hostile_words_are_only_words_in_the_letter():
    bad = '#panic("run") #read("/etc/passwd") $x$ *b* @r <l> \\ ]] // /* `c` "'
    tenant = make_tenant(name=bad)
    associate = make_associate(tenant, name=bad, contact_name=bad, reference=bad[:64])
    agreement = make_agreement(tenant, associate=associate)
    with open_tenant(tenant.pk):
        mark_clauses(
            agreement_id=agreement.pk, by=make_person(),
            marking=Marking(["secretary", "access"], ClauseAnswer.MISSING, reason=bad),
        )  # fmt: skip
        made = letter.gap_letter(find_agreement(agreement_id=agreement.pk), by=make_person(name=bad))
    assert made.startswith(b"%PDF-")


def test_there_is_no_letter_about_nothing(official, tenant):
    agreement = make_agreement(tenant, signed_on=in_days(-400))
    assert official.get(f"/agreements/{agreement.pk}/gap-letter.pdf").status_code == 409


@pytest.mark.parametrize(
    ("said", "answers", "promised"),
    [
        (None, {}, None), (None, {CHAIN[0]: "present"}, None), (None, dict.fromkeys(CHAIN, "present"), True),
        (None, {CHAIN[0]: "present", CHAIN[1]: "missing"}, False), (True, {CHAIN[1]: "missing"}, True), (False, {}, False),
    ],
)  # fmt: skip
def test_whether_it_promises_agreements_with_subcontractors(tenant, said, answers, promised):
    agreement = make_agreement(tenant, binds_subcontractors=said)
    with open_tenant(tenant.pk):
        for clause, answer in answers.items():
            marking = Marking([clause], ClauseAnswer(answer))
            mark_clauses(agreement_id=agreement.pk, marking=marking, by=make_person())
        assert promises_chain(agreement) is promised

"""A packet says what the evidence says, is changed until it is certified, and is certified once."""

from __future__ import annotations

import json
import re
import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from accounts.errors import Conflict
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import VerificationDocument, VerificationPacket
from assessments.verifications.analysis import TECHNICAL
from tests.accounts.factories import grow_stale, make_ready_person, sign_in
from tests.verifications.factories import (
    ENCRYPTION,
    TRANSMISSION,
    certify,
    draft,
    fresh,
    review,
    set_status,
)

pytestmark = pytest.mark.django_db(transaction=True)
CERTIFY = {"title": "CIO", "authority": "Board", "confirmed": "on"}


def _section(packet, citation):
    with open_tenant(packet.tenant_id):
        return packet.sections.get(citation=citation)


def _content(packet):
    with open_tenant(packet.tenant_id):
        return json.loads(VerificationDocument.objects.get(packet=packet).content)


def test_it_has_a_paragraph_for_each_technical_safeguard_and_those_that_were_added(parties):
    packet = draft(parties.associate, parties.officer, citations=("164.308(a)(8)",))
    with open_tenant(packet.tenant_id):
        said = list(packet.sections.order_by("position").values_list("citation", flat=True))
    assert said == ["164.308(a)(8)", *TECHNICAL]


def test_what_fails_what_was_not_seen_and_how_old_it_is_stand_in_the_draft(parties):
    packet = draft(parties.associate, parties.officer)
    evidenced, gap = (_section(packet, citation).drafted for citation in (ENCRYPTION, TRANSMISSION))
    assert evidenced.startswith("Evidenced.")
    assert "4 resources" in evidenced
    assert gap.startswith("Gap.")
    assert "fails on 2 resources" in gap
    assert "1 of 3 outcomes could not be decided" in gap
    assert "GetBucketPolicy" in gap
    assert f"collected on {timezone.now():%Y-%m-%d}" in gap
    nothing = _section(packet, "164.312(a)(2)(iii)").drafted
    assert nothing.startswith("No evidence yet.")


def test_a_person_writes_over_the_words_and_never_over_the_status(parties, client_for):
    packet = draft(parties.associate, parties.officer)
    section, client = _section(packet, TRANSMISSION), client_for(parties.officer)
    path = f"/verifications/{packet.pk}/sections/{section.pk}/"
    assert client.post(path, {"analysis": "We moved it.", "status": "satisfied"}).status_code == 302
    section = _section(packet, TRANSMISSION)
    assert (section.analysis, section.status) == ("We moved it.", "not_satisfied")
    assert "fails on 2 resources" in section.drafted


def test_reading_the_evidence_anew_leaves_what_was_written_and_drafts_the_rest_again(parties, client_for):
    packet, client = draft(parties.associate, parties.officer), client_for(parties.officer)
    section = _section(packet, TRANSMISSION)
    client.post(f"/verifications/{packet.pk}/sections/{section.pk}/", {"analysis": "Mended."})
    set_status(parties.associate, TRANSMISSION, "satisfied", passed=9)
    set_status(parties.associate, ENCRYPTION, "not_satisfied", failed=7)
    client.post(f"/verifications/{packet.pk}/refresh/")
    section = _section(packet, TRANSMISSION)
    assert (section.analysis, section.status) == ("Mended.", "satisfied")
    assert "fails on 7 resources" in _section(packet, ENCRYPTION).analysis


def test_a_change_after_the_review_asks_for_another_one(parties, client_for):
    packet = draft(parties.associate, parties.officer)
    review(packet, parties.officer)
    client = client_for(parties.officer)
    client.post(
        f"/verifications/{packet.pk}/sections/{_section(packet, ENCRYPTION).pk}/", {"analysis": "Other."}
    )
    assert fresh(packet).state == "draft"
    answer = client.post(f"/verifications/{packet.pk}/certify/", CERTIFY)
    assert answer.status_code == 409
    assert fresh(packet).certified_at is None


def test_a_review_before_the_evidence_was_read_is_none(parties, client_for):
    packet = draft(parties.associate, parties.officer)
    day = timezone.now().date() - timedelta(days=1)
    given = {"name": "Edda Stone", "qualification": "CISSP", "reviewed_on": day.isoformat()}
    assert client_for(parties.officer).post(f"/verifications/{packet.pk}/review/", given).status_code == 422


def test_certifying_takes_a_fresh_proof_of_both_factors(parties, client_for):
    packet = draft(parties.associate, parties.officer)
    review(packet, parties.officer)
    client = grow_stale(client_for(parties.officer))
    answer = client.post(f"/verifications/{packet.pk}/certify/", CERTIFY)
    assert answer.status_code == 302
    assert answer.url.startswith("/step-up/")
    assert fresh(packet).state == "reviewed"


def test_who_certifies_is_told_before_what_the_covered_entities_read_of_them(parties, client_for):
    packet = draft(parties.associate, parties.officer)
    review(packet, parties.officer)
    page = client_for(parties.officer).get(f"/verifications/{packet.pk}/certify/").content.decode()
    assert f"your e-mail address <strong>{parties.officer.email}</strong>" in page


def test_each_of_many_covered_entities_is_reached_by_a_page_or_by_name(parties, client_for, monkeypatch):
    monkeypatch.setattr("assessments.verifications.views.parties.PAGE", 1)
    packet, client = draft(parties.associate, parties.officer), client_for(parties.officer)
    path = f"/verifications/{packet.pk}/"

    def named(**query):
        return set(re.findall(r"Hospital [ABC]", client.get(path, query).content.decode()))

    assert [named(page=number) for number in (1, 2, 3)] == [{"Hospital A"}, {"Hospital B"}, {"Hospital C"}]
    assert named(entity="tal c") == {"Hospital C"}
    assert "No covered entity of yours" in client.get(path, {"entity": "nobody"}).content.decode()
    client.post(f"/covered-entities/{parties.relations['C'].pk}/leave/", {"reason": "Over."}, follow=True)
    assert named(entity="tal c") == set()
    assert client.get(f"{path}for/{parties.relations['C'].pk}/").status_code == 404


def test_only_an_owner_certifies(parties):
    packet = draft(parties.associate, parties.officer)
    review(packet, parties.officer)
    official = sign_in(make_ready_person(Role.SECURITY_OFFICIAL, parties.associate))
    assert official.post(f"/verifications/{packet.pk}/certify/", CERTIFY).status_code == 403
    assert fresh(packet).state == "reviewed"


def test_two_who_certify_at_once_certify_once(parties):
    packet = draft(parties.associate, parties.officer)
    review(packet, parties.officer)
    barrier, ends = threading.Barrier(2), []

    def race():
        barrier.wait()
        try:
            certify(packet, parties.officer)
            ends.append("certified")
        except Conflict as error:
            ends.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=race) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(ends, key=len) == "certified"
    assert "certified already" in max(ends, key=len)
    with open_tenant(packet.tenant_id):
        assert VerificationDocument.objects.filter(packet=packet).count() == 1


def test_evidence_that_says_otherwise_since_the_draft_stops_the_certification(parties, client_for):
    packet = draft(parties.associate, parties.officer)
    review(packet, parties.officer)
    set_status(parties.associate, ENCRYPTION, "not_satisfied", failed=1)
    answer = client_for(parties.officer).post(f"/verifications/{packet.pk}/certify/", CERTIFY)
    assert answer.status_code == 409
    assert f"{ENCRYPTION} was “evidenced” and is “gap” now" in answer.content.decode()


def test_a_certified_packet_changes_no_more_not_even_in_the_database(parties, client_for):
    packet = draft(parties.associate, parties.officer)
    review(packet, parties.officer)
    certify(packet, parties.officer)
    before, client = _content(packet), client_for(parties.officer)
    section = _section(packet, ENCRYPTION)
    for path, given in (
        (f"sections/{section.pk}/", {"analysis": "x"}),
        ("refresh/", {}),
        ("change/", {"title": "x", "rules": "current"}),
        (f"for/{parties.relations['A'].pk}/", {"scope": "x", "included": "on"}),
    ):
        assert client.post(f"/verifications/{packet.pk}/{path}", given).status_code == 409, path
    with pytest.raises(DatabaseError), open_tenant(packet.tenant_id):
        VerificationDocument.objects.filter(packet=packet).update(content="{}")
    assert _content(packet) == before


def test_the_document_says_when_expert_and_officer_are_one_person(parties):
    packets = [draft(parties.associate, parties.officer) for _ in range(2)]
    review(packets[0], parties.officer, name="ada  MOSS")
    other = make_ready_person(Role.SECURITY_OFFICIAL, parties.associate)
    review(packets[1], other, name="Edda Stone")
    said = [_content(certify(packet, parties.officer))["one_person"] for packet in packets]
    assert "same person" in said[0]
    assert said[1] == ""


def test_the_document_names_the_sealed_evidence_and_no_covered_entity_account_or_resource(parties):
    packet = draft(parties.associate, parties.officer, covers="Billing")
    review(packet, parties.officer)
    certify(packet, parties.officer)
    content = _content(packet)
    assert [row["sealed"] for row in content["evidence"]] == ["c0" * 32]
    text = json.dumps(content)
    assert not any(tenant.name in text for tenant in parties.entities.values())
    assert content["proposed"] is None
    assert sum(content["counts"].values()) == len(TECHNICAL)


def test_what_the_rulemaking_would_ask_is_shown_when_chosen_and_labelled(parties, client_for):
    packet = draft(parties.associate, parties.officer, rule_set="proposed")
    review(packet, parties.officer)
    certify(packet, parties.officer)
    assert _content(packet)["proposed"]["label"] == "proposed, not in force"
    client = client_for(parties.officer)
    page = client.get("/verifications/?rules=proposed").content.decode()
    assert "Business associate verification (proposed, not in force)" in " ".join(page.split())
    assert "Obtain from each business associate" not in client.get("/verifications/").content.decode()


def test_a_draft_as_pdf_says_on_its_face_that_it_is_one(parties, client_for):
    packet = draft(parties.associate, parties.officer)
    answer = client_for(parties.officer).get(f"/verifications/{packet.pk}/document.pdf")
    assert answer.content.startswith(b"%PDF-1.")
    assert "draft" in answer["Content-Disposition"]


def test_who_only_reads_drafts_nothing(parties):
    viewer = sign_in(make_ready_person(Role.VIEWER, parties.associate))
    assert viewer.get("/verifications/").status_code == 200
    assert viewer.post("/verifications/new/", {"title": "x", "rules": "current"}).status_code == 403
    with open_tenant(parties.associate.pk):
        assert not VerificationPacket.objects.exists()

"""A business associate shows what it agreed to, as it was previewed, to whom it chose, until it revokes it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError
from django.utils import timezone

from accounts.audit.events import Act, ActorKind
from accounts.audit.models import AuditEntry
from accounts.permissions import Role
from accounts.tenancy.models import new_id
from accounts.tenancy.scope import open_tenant
from assessments.models import Partnership, SharedPosture, SharedPosturePoint, SharingGrant
from assessments.rule.model import SECURITY_RULE
from assessments.sharing.levels import Level
from assessments.sharing.services import revoke_grant
from evidence.models import AwsConnection
from tests.accounts.factories import grow_stale, make_ready_person, sign_in
from tests.partnerships.factories import make_partnership
from tests.sharing.factories import SCOPE, grant

pytestmark = pytest.mark.django_db(transaction=True)


def _fields(level: Level = Level.FINDINGS, citations=SCOPE, **more: str) -> dict[str, object]:
    return {"level": str(level.value), "citations": list(citations), "begins_on": "", "ends_on": "", **more}


def _path(partnership: Partnership) -> str:
    return f"/sharing/partnerships/{partnership.pk}/grant/"


def _preview(client, partnership, **fields) -> str:
    answer = client.post(_path(partnership), _fields(**fields))
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def _agree(client, partnership, page: str):
    token = re.search(r'name="previewed" value="([^"]+)"', page)
    assert token
    return client.post(_path(partnership), {"previewed": token[1]})


def _share(client, partnership, **fields) -> SharingGrant:
    assert _agree(client, partnership, _preview(client, partnership, **fields)).status_code == 302
    with open_tenant(partnership.viewer_id):
        return SharingGrant.objects.get(withdrawn_at=None, partnership_id=partnership.pk)


def _rows(page: str) -> list[str]:
    """The rows of the page's tables as text."""
    return [
        " ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL)
    ]


def _entries(tenant_id, act: Act) -> list[AuditEntry]:
    with open_tenant(tenant_id):
        return list(AuditEntry.objects.filter(act=act).order_by("occurred_at"))


def test_nothing_is_granted_before_it_was_previewed(vendor, partnership):
    answer = vendor.post(_path(partnership), {**_fields(), "previewed": "forged"})
    assert answer.status_code == 400
    with open_tenant(partnership.viewer_id):
        assert not SharingGrant.objects.exists()


def test_a_preview_of_one_partnership_is_no_consent_in_another(vendor, partnership):
    other = make_partnership(downstream=partnership.viewer)
    page = _preview(vendor, partnership)
    assert _agree(vendor, other, page).status_code == 400


@pytest.mark.parametrize("level", Level)
def test_the_preview_shows_what_the_other_side_then_reads(vendor, hospital, partnership, level):
    page = _preview(vendor, partnership, level=level, citations=list(SECURITY_RULE))
    _agree(vendor, partnership, page)
    with open_tenant(partnership.viewer_id):
        made = SharingGrant.objects.get()
    theirs, mine = [], []
    for client, start, seen in (
        (hospital, f"/shared-with-us/{made.pk}/", theirs),
        (vendor, f"/sharing/grants/{made.pk}/", mine),
    ):
        parts = ["safeguards", "findings", "evidence"][: max(1, level - 1)]
        for part in parts:
            query = f"?part={part}"
            while query:
                text = client.get(start + query).content.decode()
                seen.extend(_rows(text))
                following = re.search(r'rel="next" href="([^"]+)"', text)
                query = following[1].replace("&amp;", "&") if following else ""
    heads = {row for row in theirs if theirs.count(row) > 1}
    assert theirs == mine
    assert [row for row in theirs if row not in heads] == [row for row in _rows(page) if row not in heads]
    assert len(theirs) > len(SECURITY_RULE)


@pytest.mark.parametrize("level", [Level.STATUS, Level.COUNTS, Level.FINDINGS])
def test_no_resource_is_named_below_the_level_of_named_evidence(hospital, partnership, level):
    with open_tenant(partnership.viewer_id):
        account = AwsConnection.objects.get()
    made = grant(partnership, level, tuple(SECURITY_RULE))
    pages = [
        hospital.get(f"/shared-with-us/{made.pk}/?part={part}").content.decode()
        for part in ("safeguards", "findings", "evidence")
    ]
    with open_tenant(partnership.tenant_id):
        rows = [
            *SharingGrant.received.values(),
            *SharedPosture.received.values(),
            *SharedPosturePoint.received.values(),
        ]
    got = f"{pages} {rows}"
    for secret in (
        "secretbucket",
        "arn:",
        account.aws_account_id,
        account.name,
        "us-east-1",
        str(account.pk),
    ):
        assert secret not in got, secret
    assert ("S3 buckets keep earlier versions" in got) == (level >= Level.FINDINGS)
    assert ("outcomes decided" in got) == (level >= Level.COUNTS)


def test_named_evidence_names_the_resource_and_the_digest_and_no_content(hospital, partnership):
    made = grant(partnership, Level.EVIDENCE, tuple(SECURITY_RULE))
    findings = hospital.get(f"/shared-with-us/{made.pk}/?part=findings").content.decode()
    evidence = hospital.get(f"/shared-with-us/{made.pk}/?part=evidence").content.decode()
    assert "arn:aws:s3:::secretbucket-scans" in findings
    assert re.search(r"\b[0-9a-f]{64}\b", evidence)
    assert "secretbucket" not in evidence


def test_safeguards_that_were_not_granted_are_nowhere_to_be_seen(hospital, partnership):
    made = grant(partnership, Level.COUNTS, ("164.312(a)(2)(i)",))
    page = hospital.get(f"/shared-with-us/{made.pk}/").content.decode()
    assert "164.312(a)(2)(i)" in page
    assert set(re.findall(r"164\.\d+\(\w\)[^\s<,.]*", page)) == {"164.312(a)(2)(i)"}


def test_a_standard_brings_its_specifications(partnership):
    made = grant(partnership, citations=("164.312(a)(1)",))
    assert made.citations == [
        "164.312(a)(1)", "164.312(a)(2)(i)", "164.312(a)(2)(ii)", "164.312(a)(2)(iii)", "164.312(a)(2)(iv)"
    ]  # fmt: skip


def test_revoking_ends_it_from_the_next_request_also_between_two_pages(vendor, hospital, partnership):
    made = _share(vendor, partnership, citations=tuple(SECURITY_RULE))
    first = hospital.get(f"/shared-with-us/{made.pk}/?part=safeguards")
    following = re.search(r'rel="next" href="([^"]+)"', first.content.decode())
    assert following
    assert vendor.post(f"/sharing/grants/{made.pk}/revoke/").status_code == 302
    gone = hospital.get(f"/shared-with-us/{made.pk}/{following[1].replace('&amp;', '&')}")
    nobodys = hospital.get(f"/shared-with-us/{uuid4()}/{following[1].replace('&amp;', '&')}")
    assert (first.status_code, gone.status_code, nobodys.status_code) == (200, 404, 404)
    assert _rows(gone.content.decode()) == _rows(nobodys.content.decode())
    with open_tenant(partnership.tenant_id):
        assert not SharingGrant.received.exists() | SharedPosture.received.exists()
        assert not SharedPosturePoint.received.exists()
    assert vendor.post(f"/sharing/grants/{made.pk}/revoke/").status_code == 404


def test_changing_a_grant_revokes_it_and_makes_the_next_version(vendor, hospital, partnership):
    before = _share(vendor, partnership, level=Level.EVIDENCE)
    after = _share(vendor, partnership, level=Level.STATUS)
    assert (before.version, after.version) == (1, 2)
    assert hospital.get(f"/shared-with-us/{before.pk}/").status_code == 404
    assert hospital.get(f"/shared-with-us/{after.pk}/").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        "level = 4",
        "citations = '{164.312(a)(1)}'",
        "shown_until = null",
        "viewer_id = tenant_id",
        "version = 9",
    ],
)
def test_the_terms_of_a_grant_never_change(partnership, change):
    from django.db import connection

    grant(partnership, ends_at=timezone.now() + timedelta(days=1))
    with pytest.raises(DatabaseError), open_tenant(partnership.viewer_id), connection.cursor() as cursor:
        cursor.execute(f"update assessments_sharinggrant set {change}")


def test_a_grant_shows_nothing_before_and_after_its_time(hospital, partnership):
    now = timezone.now()
    later = grant(partnership, begins_at=now + timedelta(hours=1))
    assert hospital.get(f"/shared-with-us/{later.pk}/").status_code == 404
    with open_tenant(partnership.tenant_id):
        assert not SharedPosture.received.exists()


def test_dates_of_the_form_are_whole_days(vendor, partnership):
    day = timezone.now().astimezone(UTC).date() + timedelta(days=3)
    made = _share(vendor, partnership, begins_on=str(day), ends_on=str(day))
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert (made.shown_from, made.shown_until) == (midnight, midnight + timedelta(days=1))


def test_a_grant_that_would_be_over_is_refused(vendor, partnership):
    answer = vendor.post(_path(partnership), _fields(ends_on="2020-01-01"))
    assert answer.status_code == 422
    assert "over" in answer.content.decode()


def test_both_logs_tell_of_a_grant_a_reading_and_a_revocation(vendor, hospital, partnership):
    made = _share(vendor, partnership)
    hospital.get(f"/shared-with-us/{made.pk}/")
    vendor.post(f"/sharing/grants/{made.pk}/revoke/")
    for act, actor in (
        (Act.SHARING_GRANT, partnership.viewer_id),
        (Act.SHARED_POSTURE_READ, partnership.tenant_id),
        (Act.SHARING_REVOKE, partnership.viewer_id),
    ):
        other = ({partnership.tenant_id, partnership.viewer_id} - {actor}).pop()
        (own,), (told,) = _entries(actor, act), _entries(other, act)
        assert (own.actor_kind, own.object_id) == (ActorKind.PERSON, str(made.pk))
        assert (told.actor_kind, told.actor_id, told.object_id) == (
            ActorKind.PARTNER,
            str(actor),
            str(made.pk),
        )
        assert told.actor_name in {partnership.upstream_name, partnership.downstream_name}


def test_the_vendor_sees_who_looked_when(vendor, hospital, partnership):
    made = grant(partnership)
    assert "Nobody has looked yet" in vendor.get(f"/sharing/grants/{made.pk}/").content.decode()
    hospital.get(f"/shared-with-us/{made.pk}/")
    page = vendor.get(f"/sharing/grants/{made.pk}/").content.decode()
    assert "Nobody has looked yet" not in page
    assert re.search(rf"Who looked when.*{partnership.upstream_name}", page, re.DOTALL)


def test_the_tab_shows_the_posture_and_tells_the_vendor(hospital, partnership):
    made = grant(partnership)
    page = hospital.get(f"/business-associates/{partnership.associate_id}/posture/").content.decode()
    assert f"/shared-with-us/{made.pk}/?part=safeguards" in page
    with open_tenant(partnership.viewer_id):
        assert AuditEntry.objects.filter(act=Act.SHARED_POSTURE_READ, object_id=str(made.pk)).count() == 1


def test_the_tab_shows_nothing_once_the_partnership_has_ended(hospital, partnership):
    made = grant(partnership)
    with open_tenant(partnership.tenant_id):
        Partnership.objects.update(withdrawn_at=timezone.now())
    assert hospital.get(f"/shared-with-us/{made.pk}/").status_code == 404
    page = hospital.get(f"/business-associates/{partnership.associate_id}/posture/").content.decode()
    assert "Not connected" in page


def test_what_a_third_tenant_claims_of_a_partnership_is_not_believed(hospital, partnership):
    """Anybody may write a row that names any partnership; it counts from the partnership's other party alone."""
    forger = make_partnership(upstream=partnership.tenant)
    made = grant(forger)
    with open_tenant(forger.viewer_id):
        posture = SharedPosture.objects.get(grant_id=made.pk)
        made.pk, made.partnership_id, made.withdrawn_at = new_id(), partnership.pk, None
        made.save(force_insert=True)
        posture.pk, posture.partnership_id, posture.grant_id = new_id(), partnership.pk, made.pk
        posture.save(force_insert=True)
    assert hospital.get(f"/shared-with-us/{made.pk}/").status_code == 404
    page = hospital.get(f"/business-associates/{partnership.associate_id}/posture/").content.decode()
    assert "No posture is shared with us" in page


@pytest.mark.parametrize(
    ("role", "may"), [(Role.OWNER, True), (Role.SECURITY_OFFICIAL, True), (Role.CONTRIBUTOR, False)]
)
def test_only_who_may_grant_does(partnership, role, may):
    client = sign_in(make_ready_person(role, partnership.viewer))
    assert client.get(_path(partnership)).status_code == (200 if may else 403)
    made = grant(partnership)
    assert client.get(f"/sharing/grants/{made.pk}/").status_code == 200
    assert client.post(f"/sharing/grants/{made.pk}/revoke/").status_code == (302 if may else 403)


def test_granting_and_revoking_ask_for_a_fresh_proof(vendor, partnership):
    made = grant(partnership)
    grow_stale(vendor)
    for path in (_path(partnership), f"/sharing/grants/{made.pk}/revoke/"):
        answer = vendor.post(path, _fields())
        assert (answer.status_code, answer.url.startswith("/step-up/")) == (302, True)
    with open_tenant(partnership.viewer_id):
        assert SharingGrant.objects.get().withdrawn_at is None


def test_a_grant_may_be_revoked_in_a_partnership_that_has_ended(partnership):
    made = grant(partnership)
    with open_tenant(partnership.tenant_id):
        Partnership.objects.update(withdrawn_at=timezone.now())
    with open_tenant(partnership.viewer_id):
        assert revoke_grant(grant_id=made.pk).withdrawn_at

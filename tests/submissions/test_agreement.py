"""Our own checks and those of other tools side by side: where they agree, and where they don't."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.utils import timezone

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.checks.base import checks
from assessments.models import Finding
from assessments.submitted.agreement import equivalent_to, equivalents, read_agreements, read_counterparts
from tests.accounts.factories import make_ready_person
from tests.factories import make_connection
from tests.submissions.conftest import Pusher, ocsf

OURS, THEIRS = "s3_bucket_versioning", "s3_bucket_object_versioning"


def _bucket(name: str, partition: str = "aws") -> str:
    return f"arn:{partition}:s3:::{name}"


def _judged(pusher: Pusher, **outcomes: str) -> None:
    """What our own check says of some buckets."""
    aws = make_connection(pusher.machine.tenant)
    now = timezone.now()
    with open_tenant(pusher.tenant_id):
        Finding.objects.bulk_create(
            Finding(
                connection=aws, check_id=OURS, resource_key=name, resource_arn=_bucket(name), resource_name=name,
                region="us-east-1", scope="global", severity="medium", outcome=outcome, observed="seen",
                first_seen_at=now, since=now,
            )
            for name, outcome in outcomes.items()
        )  # fmt: skip


def test_they_are_compared_on_the_same_resources_alone(pusher: Pusher):
    _judged(pusher, a="PASS", b="FAIL", c="PASS", d="UNKNOWN", e="PASS", f="PASS")
    pusher.push(
        [
            ocsf(THEIRS, _bucket("a"), "PASS"), ocsf(THEIRS, _bucket("b"), "FAIL"), ocsf(THEIRS, _bucket("c"), "FAIL"),
            ocsf(THEIRS, _bucket("d"), "FAIL"), ocsf(THEIRS, _bucket("E"), "FAIL"),
            ocsf(THEIRS, _bucket("f", "aws-us-gov"), "FAIL"), ocsf("something_else", _bucket("a"), "FAIL"),
        ]
    )  # fmt: skip
    with open_tenant(pusher.tenant_id):
        [said] = read_agreements(ours=[OURS])
        assert read_agreements(theirs=[f"prowler:{THEIRS}"]) == (said,)
        assert read_agreements(ours=["s3_bucket_tls_only"]) == ()
        assert read_agreements(theirs=["prowler:something_else"]) == ()
        looks = {
            row.resource_name: [each.look for each in read_counterparts(row)]
            for row in Finding.objects.filter(stream=None)
        }
        back = [read_counterparts(row)[0].finding.check_id for row in Finding.objects.filter(
            check_id=f"prowler:{THEIRS}", resource_arn=_bucket("a"))]  # fmt: skip
    assert (said.agreed, said.disagreed, said.look) == (2, 1, "disagrees")
    assert [(each.name, each.our_outcome, each.their_outcome) for each in said.apart] == [
        ("c", "PASS", "FAIL")
    ]
    assert looks == {
        "a": ["agrees"], "b": ["agrees"], "c": ["disagrees"], "d": ["not_compared"], "e": [], "f": [],
    }  # fmt: skip
    assert back == [OURS]


def test_the_pages_mark_it_in_words_and_lead_to_both_findings(pusher: Pusher, client_for: Any):
    _judged(pusher, a="PASS", c="PASS")
    pusher.push([ocsf(THEIRS, _bucket("a"), "PASS"), ocsf(THEIRS, _bucket("c"), "FAIL")])
    pages = client_for(make_ready_person(Role.OWNER, pusher.machine.tenant))
    with open_tenant(pusher.tenant_id):
        rows = {row.source: row for row in Finding.objects.filter(resource_arn=_bucket("c"))}
        checked = read_agreements(ours=[OURS])[0].tool_check.page_id

    def read(path: str) -> str:
        answer = pages.get(path)
        assert answer.status_code == 200
        return re.sub(
            r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode().split("<main")[1]))
        )

    for path in (
        "/safeguards/164.312(c)(1)/",
        f"/findings/checks/{OURS}/",
        f"/findings/submitted/{checked}/",
    ):
        assert "disagrees on 1 of 2 resources" in read(path), path
    page = pages.get("/safeguards/164.312(c)(1)/").content.decode()
    assert all(f"/findings/{row.pk}/" in page for row in rows.values())
    assert "disagrees" in read(f"/findings/{rows[''].pk}/")
    assert "our own check: pass" in read(f"/findings/{rows['prowler'].pk}/")
    assert "What other tools say" not in read("/safeguards/164.312(d)/")


def test_an_account_as_a_whole_is_the_same_by_its_number_and_a_region_of_it_by_its_name_too(pusher: Pusher):
    aws = make_connection(pusher.machine.tenant)
    now = timezone.now()
    whole = (
        ("iam_password_length", "account", "global", "PASS"),
        ("ec2_ebs_encryption_by_default", "settings", "us-east-1", "FAIL"),
        ("ec2_ebs_encryption_by_default", "settings", "us-west-2", "PASS"),
    )
    with open_tenant(pusher.tenant_id):
        Finding.objects.bulk_create(
            Finding(
                connection=aws, check_id=check, resource_key=f"{kind} {scope}", resource_arn=f"arn:ours:{scope}",
                resource_name=scope, resource_kind=kind, region=scope, scope=scope, severity="medium",
                outcome=outcome, observed="seen", first_seen_at=now, since=now,
            )
            for check, kind, scope, outcome in whole
        )  # fmt: skip
    length, volumes, mine = (
        "iam_password_policy_minimum_length_14",
        "ec2_ebs_default_encryption",
        aws.aws_account_id,
    )
    pusher.push(
        [
            ocsf(length, "arn:aws:iam::1:password-policy", "PASS", account=mine),
            ocsf(length, "arn:aws:iam::2:password-policy", "FAIL", account="999988887777"),
            ocsf(volumes, "arn:aws:ec2:us-east-1:1:volume", "PASS", account=mine),
        ]
    )
    with open_tenant(pusher.tenant_id):
        said = {row.check.id: (row.agreed, row.disagreed) for row in read_agreements()}
        [apart] = next(row.apart for row in read_agreements(ours=["ec2_ebs_encryption_by_default"]))
        looks = {
            (row.check_id, row.scope): [each.look for each in read_counterparts(row)]
            for row in Finding.objects.filter(stream=None)
        }
        back = {
            row.resource_arn: [(each.finding.scope, each.look) for each in read_counterparts(row)]
            for row in Finding.objects.exclude(stream=None)
        }
    assert said == {"iam_password_length": (1, 0), "ec2_ebs_encryption_by_default": (0, 1)}
    assert (apart.name, apart.our_outcome, apart.their_outcome) == ("us-east-1", "FAIL", "PASS")
    assert looks == {
        ("iam_password_length", "global"): ["agrees"],
        ("ec2_ebs_encryption_by_default", "us-east-1"): ["disagrees"],
        ("ec2_ebs_encryption_by_default", "us-west-2"): [],
    }
    assert back == {
        "arn:aws:iam::1:password-policy": [("global", "agrees")], "arn:aws:iam::2:password-policy": [],
        "arn:aws:ec2:us-east-1:1:volume": [("us-east-1", "disagrees")],
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "prowler:s3_bucket_object_versioning", "prowler:prowler-s3_bucket_object_versioning", "security-hub:S3.14",
        "config:securityhub-s3-bucket-versioning-enabled-1a2b3c4d", "config:s3-bucket-versioning-enabled",
        "security-hub:aws-foundational-security-best-practices/v/1.0.0/S3.14",
    ],
)  # fmt: skip
def test_a_check_is_known_by_each_of_its_names(name: str):
    assert equivalent_to(name) == (OURS,)


def test_the_table_names_checks_that_there_are():
    assert set(equivalents()) <= set(checks())
    assert equivalent_to("prowler:no_such") == ()

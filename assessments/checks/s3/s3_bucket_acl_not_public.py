from __future__ import annotations

from typing import Any

from assessments.checks.base import Absent, Check, Fix, Per, Severity
from assessments.checks.subjects import s3

_NONE = Absent("NoSuchPublicAccessBlockConfiguration")
_OWNER = {"Grantee": {"Type": "CanonicalUser", "ID": "0a1b"}, "Permission": "FULL_CONTROL"}
_GROUP = "http://acs.amazonaws.com/groups/global/"


def _example(*grants: dict[str, Any], **switches: bool) -> dict[str, Any]:
    """Without switches, their answers are left out, as they can't matter."""
    block = {"PublicAccessBlockConfiguration": switches}
    asked = {"GetPublicAccessBlock": {"records": block}, "s3control:GetPublicAccessBlock": {"": _NONE}}
    return {
        "s3": {
            "ListBuckets": {"": {"Buckets": [{"Name": "records"}]}},
            "GetBucketAcl": {"records": {"Owner": {"ID": "0a1b"}, "Grants": [_OWNER, *grants]}},
            **(asked if switches else {}),
        }
    }


def _to(group: str, permission: str) -> dict[str, Any]:
    return {"Grantee": {"Type": "Group", "URI": f"{_GROUP}{group}"}, "Permission": permission}


CHECK = Check(
    title="Bucket ACLs grant nothing to strangers",
    severity=Severity.CRITICAL,
    collectors=("s3",),
    supports=("164.312(a)(1)", "164.308(a)(3)(i)"),
    rationale="A grant to all users lets anybody list or change ePHI in the bucket. Authenticated users are no better: they are everybody with any AWS account.",
    expected="No grant to AllUsers or AuthenticatedUsers, unless IgnorePublicAcls makes it void.",
    fix=Fix(
        console="S3, the bucket, Permissions, Object Ownership, Edit: ACLs disabled (bucket owner enforced).",
        cli="aws s3api put-bucket-ownership-controls --bucket BUCKET --ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'",
        terraform='resource "aws_s3_bucket_ownership_controls" "records" {\n  bucket = aws_s3_bucket.records.id\n  rule {\n    object_ownership = "BucketOwnerEnforced"\n  }\n}',
    ),
    per=Per.ACCOUNT,
    resources=s3.buckets,
    judge=s3.judge_public_acl,
    passing=(_example(), _example(_to("AllUsers", "READ"), IgnorePublicAcls=True)),
    failing=(
        _example(_to("AllUsers", "READ"), IgnorePublicAcls=False),
        _example(_to("AuthenticatedUsers", "WRITE"), IgnorePublicAcls=False),
    ),
)

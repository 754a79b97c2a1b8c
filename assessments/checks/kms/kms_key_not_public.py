import json

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, not_applicable, passed
from assessments.checks.policy import public_grants
from assessments.checks.subjects import examples, kms
from assessments.checks.subjects.documents import reading_policies
from evidence.types import Seen


@reading_policies
def judge(key: Resource, seen: Seen) -> Verdict:
    if kms.is_going(key, seen):
        return not_applicable("it is scheduled for deletion and cannot be used")
    grants = public_grants(kms.policy(key, seen), seen.account_id)
    if grants:
        return failed(f"its policy says that {grants[0].principal} may use {grants[0].actions}")
    return passed("its policy admits named callers only")


def _policy(principal: object, **more: object) -> str:
    return json.dumps(
        {
            "Statement": [
                {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*", **more}
            ]
        }
    )


_ROOT = {"AWS": "arn:aws:iam::111122223333:root"}

CHECK = Check(
    title="No key can be used by everyone",
    severity=Severity.CRITICAL,
    collectors=("kms",),
    supports=("164.312(a)(1)", "164.312(a)(2)(iv)"),
    rationale="A key that anyone may use encrypts nothing: whoever gets hold of the data decrypts it with the same key.",
    expected="The key's policy allows no wildcard principal, unless conditions name accounts, an organisation or networks.",
    fix=Fix(
        console="KMS, Customer managed keys, the key, Key policy, Edit: name the principals, or add a condition on kms:CallerAccount.",
        cli="aws kms put-key-policy --key-id KEY --policy-name default --policy file://policy.json",
        terraform='policy = data.aws_iam_policy_document.key.json in resource "aws_kms_key"',
    ),
    resources=kms.keys,
    judge=judge,
    passing=(
        examples.key(_policy(_ROOT)),
        examples.key(
            _policy({"AWS": "*"}, Condition={"StringEquals": {"kms:CallerAccount": "111122223333"}})
        ),
    ),
    failing=(
        examples.key(_policy("*")),
        examples.key(
            _policy(
                {"AWS": "*"}, Condition={"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
            )
        ),
    ),
)

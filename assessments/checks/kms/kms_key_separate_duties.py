import json

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, not_applicable, passed
from assessments.checks.subjects import examples, kms
from assessments.checks.subjects.documents import reading_policies
from evidence.types import Seen


@reading_policies
def judge(key: Resource, seen: Seen) -> Verdict:
    if kms.is_going(key, seen):
        return not_applicable("it is scheduled for deletion and cannot be used")
    policy = kms.policy(key, seen)
    administer = kms.principals(policy, kms.KEY_ADMINISTRATION, seen.account_id)
    both = administer & kms.principals(policy, kms.KEY_USE, seen.account_id)
    if both:
        return failed(f"{', '.join(sorted(both))} may both administer and use the key")
    return passed("nobody named in its policy may both administer and use it")


def _policy(*actions: str) -> str:
    role = {"AWS": "arn:aws:iam::111122223333:role/app"}
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps(
        {"Statement": [root, {"Effect": "Allow", "Principal": role, "Action": actions, "Resource": "*"}]}
    )


CHECK = Check(
    title="Those who administer a key do not use it",
    severity=Severity.LOW,
    collectors=("kms",),
    supports=("164.308(a)(4)(ii)(B)", "164.312(a)(2)(iv)"),
    rationale="Who may change a key's policy can give away the right to decrypt; kept apart from those who read ePHI, no single person can open it unseen. Statements for the account itself hand the decision to IAM and are not counted.",
    expected="No principal of the key's policy has both administration (PutKeyPolicy, ScheduleKeyDeletion, DisableKey) and use (Decrypt, Encrypt, GenerateDataKey).",
    fix=Fix(
        console="KMS, Customer managed keys, the key, Key administrators and Key users: keep the two lists apart.",
        cli="aws kms put-key-policy --key-id KEY --policy-name default --policy file://policy.json",
        terraform='policy = data.aws_iam_policy_document.key.json in resource "aws_kms_key"',
    ),
    resources=kms.keys,
    judge=judge,
    passing=(
        examples.key(_policy("kms:Decrypt", "kms:GenerateDataKey*")),
        examples.key(_policy("kms:PutKeyPolicy", "kms:Describe*")),
    ),
    failing=(examples.key(_policy("kms:*")), examples.key(_policy("kms:Decrypt", "kms:Put*"))),
)

import json

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, not_applicable, passed
from assessments.checks.policy import external_accounts
from assessments.checks.subjects import examples, kms
from assessments.checks.subjects.documents import reading_policies
from evidence.types import Seen


@reading_policies
def judge(key: Resource, seen: Seen) -> Verdict:
    if kms.is_going(key, seen):
        return not_applicable("it is scheduled for deletion and cannot be used")
    others = external_accounts(kms.policy(key, seen), seen.account_id)
    if others:
        return failed(f"its policy admits account {', '.join(others)}")
    return passed("its policy admits no other account")


def _policy(account: str) -> str:
    return json.dumps(
        {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                    "Action": "kms:Decrypt",
                    "Resource": "*",
                }
            ]
        }
    )


CHECK = Check(
    title="Keys are used by the own account only",
    severity=Severity.MEDIUM,
    collectors=("kms",),
    supports=("164.308(a)(4)(ii)(B)", "164.312(a)(1)"),
    rationale="Another account that may decrypt can read the ePHI it gets hold of; if it belongs to somebody else, a business associate agreement has to cover it.",
    expected="The key's policy admits no other account; where sharing is meant, an exception names the account's owner.",
    fix=Fix(
        console="KMS, Customer managed keys, the key, Other AWS accounts: remove those that nobody can explain.",
        cli="aws kms put-key-policy --key-id KEY --policy-name default --policy file://policy.json",
        terraform='policy = data.aws_iam_policy_document.key.json in resource "aws_kms_key"',
    ),
    resources=kms.keys,
    judge=judge,
    passing=(examples.key(_policy("111122223333")),),
    failing=(examples.key(_policy("444455556666")),),
)

import json

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed
from assessments.checks.policy import external_accounts, parse
from assessments.checks.subjects import examples, secrets
from assessments.checks.subjects.documents import reading_policies
from evidence.types import Seen


@reading_policies
def judge(secret: Resource, seen: Seen) -> Verdict:
    document = secrets.policy(secret, seen)
    others = external_accounts(parse(document), seen.account_id) if document else ()
    if others:
        return failed(f"its policy admits account {', '.join(others)}")
    return passed("its policy admits no other account" if document else "it has no resource policy")


def _policy(account: str) -> str:
    principal = {"AWS": f"arn:aws:iam::{account}:role/app"}
    return json.dumps(
        {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": principal,
                    "Action": "secretsmanager:GetSecretValue",
                    "Resource": "*",
                }
            ]
        }
    )


CHECK = Check(
    title="Secrets are read by the own account only",
    severity=Severity.MEDIUM,
    collectors=("secretsmanager",),
    supports=("164.308(a)(4)(ii)(B)", "164.312(a)(1)"),
    rationale="Another account that fetches a password reaches what it opens; if it belongs to somebody else, a business associate agreement has to cover it.",
    expected="The secret's policy admits no other account; where sharing is meant, an exception names the account's owner.",
    fix=Fix(
        console="Secrets Manager, the secret, Resource permissions, Edit: remove the other account.",
        cli="aws secretsmanager put-resource-policy --secret-id SECRET --resource-policy file://policy.json",
    ),
    resources=secrets.secrets,
    judge=judge,
    passing=(examples.secret(""), examples.secret(_policy("111122223333"))),
    failing=(examples.secret(_policy("444455556666")),),
)

import json

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed
from assessments.checks.policy import parse, public_grants
from assessments.checks.subjects import examples, secrets
from assessments.checks.subjects.documents import reading_policies
from evidence.types import Seen


@reading_policies
def judge(secret: Resource, seen: Seen) -> Verdict:
    document = secrets.policy(secret, seen)
    if not document:
        return passed("it has no resource policy")
    grants = public_grants(parse(document), seen.account_id)
    if grants:
        return failed(f"its policy says that {grants[0].principal} may {grants[0].actions}")
    return passed("its policy admits named callers only")


def _policy(principal: object) -> str:
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
    title="No secret can be read by everyone",
    severity=Severity.CRITICAL,
    collectors=("secretsmanager",),
    supports=("164.312(a)(1)",),
    rationale="A database password that anyone may fetch is the same as no password.",
    expected="The secret's resource policy allows no wildcard principal, unless conditions name accounts, an organisation or networks.",
    fix=Fix(
        console="Secrets Manager, the secret, Resource permissions, Edit: name the principals.",
        cli="aws secretsmanager put-resource-policy --secret-id SECRET --resource-policy file://policy.json --block-public-policy",
        terraform='block_public_policy = true in resource "aws_secretsmanager_secret_policy"',
    ),
    resources=secrets.secrets,
    judge=judge,
    passing=(examples.secret(""), examples.secret(_policy({"AWS": "arn:aws:iam::111122223333:role/app"}))),
    failing=(examples.secret(_policy("*")), examples.secret(_policy({"AWS": "*"}))),
)

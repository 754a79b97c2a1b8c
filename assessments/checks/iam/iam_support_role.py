from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import examples, iam
from evidence.types import Seen

_POLICY = ":iam::aws:policy/AWSSupportAccess"


def judge(_account: Resource, seen: Seen) -> Verdict:
    listed = seen["iam"].items("GetAccountAuthorizationDetails", "Policies")
    attached = sum(row.get("AttachmentCount") or 0 for row in listed if row.get("Arn", "").endswith(_POLICY))
    if attached:
        return passed(f"{attached} identities may open cases with AWS Support")
    return failed("AWSSupportAccess is attached to nobody")


def _support(attached: int) -> dict[str, object]:
    return {
        "PolicyName": "AWSSupportAccess",
        "Arn": "arn:aws:iam::aws:policy/AWSSupportAccess",
        "AttachmentCount": attached,
    }


CHECK = Check(
    title="Somebody may call on AWS Support in an incident",
    severity=Severity.LOW,
    collectors=("iam",),
    supports=("164.308(a)(6)(ii)",),
    rationale="In an incident the root user should not be the only one who can ask AWS for help.",
    expected="The policy AWSSupportAccess is attached to a role, group or user.",
    fix=Fix(
        console="IAM, Roles: make a role for incident response and attach AWSSupportAccess.",
        cli="aws iam attach-role-policy --role-name ROLE --policy-arn arn:aws:iam::aws:policy/AWSSupportAccess",
        terraform='resource "aws_iam_role_policy_attachment" "support" { policy_arn = "arn:aws:iam::aws:policy/AWSSupportAccess" ... }',
    ),
    resources=iam.account,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(examples.identities(Policies=[_support(1)]),),
    failing=(examples.identities(Policies=[_support(0)]), examples.identities()),
)

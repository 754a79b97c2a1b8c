from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict
from assessments.checks.subjects import examples, iam
from assessments.checks.subjects.documents import reading_policies
from evidence.types import Seen


@reading_policies
def judge(identity: Resource, _seen: Seen) -> Verdict:
    return iam.judge_inline(identity, "decrypting with every KMS key", iam.decrypts_with_all_keys)


def _role(resource: str) -> dict[str, object]:
    document = {"Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": resource}}
    return examples.role("app", RolePolicyList=[{"PolicyName": "decrypt", "PolicyDocument": document}])


CHECK = Check(
    title="Inline policies name the KMS keys that may be used to decrypt",
    severity=Severity.MEDIUM,
    collectors=("iam",),
    supports=("164.308(a)(4)(ii)(B)", "164.312(a)(2)(iv)"),
    rationale="A role that may decrypt with every key reads whatever ePHI it can copy, whichever key was meant to keep it apart.",
    expected="No inline policy allows kms:Decrypt or kms:ReEncryptFrom on all keys of a region.",
    fix=Fix(
        console="IAM, the user, group or role, Permissions, the inline policy, Edit: put the ARNs of the keys into Resource.",
        cli="aws iam put-role-policy --role-name ROLE --policy-name NAME --policy-document file://policy.json",
    ),
    resources=iam.identities_with_inline_policies,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(examples.identities(RoleDetailList=[_role(examples.KEY)]),),
    failing=(examples.identities(RoleDetailList=[_role("*")]),),
)

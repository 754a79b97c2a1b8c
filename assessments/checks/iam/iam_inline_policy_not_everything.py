from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict
from assessments.checks.subjects import examples, iam
from assessments.checks.subjects.documents import reading_policies
from evidence.types import Seen


@reading_policies
def judge(identity: Resource, _seen: Seen) -> Verdict:
    return iam.judge_inline(identity, "everything, or to make oneself administrator", iam.grants_everything)


CHECK = Check(
    title="Inline policies do not allow everything",
    severity=Severity.HIGH,
    collectors=("iam",),
    supports=("164.308(a)(3)(ii)(A)", "164.308(a)(4)(ii)(B)", "164.312(a)(1)"),
    rationale="An inline policy is hidden in one user, group or role and easily missed in a review; one that allows everything gives all ePHI.",
    expected="No inline policy allows all actions, or iam:*, on all resources.",
    fix=Fix(
        console="IAM, the user, group or role, Permissions: replace the inline policy by one that names actions and resources.",
        cli="aws iam put-role-policy --role-name ROLE --policy-name NAME --policy-document file://policy.json",
    ),
    resources=iam.identities_with_inline_policies,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.identities(
            RoleDetailList=[
                examples.role(
                    "app", RolePolicyList=[{"PolicyName": "read", "PolicyDocument": examples.READ_ONE_BUCKET}]
                )
            ]
        ),
    ),
    failing=(
        examples.identities(
            RoleDetailList=[
                examples.role(
                    "app", RolePolicyList=[{"PolicyName": "all", "PolicyDocument": examples.EVERYTHING}]
                )
            ]
        ),
        examples.identities(
            UserDetailList=[
                examples.user(
                    "maria", UserPolicyList=[{"PolicyName": "all", "PolicyDocument": examples.EVERYTHING}]
                )
            ]
        ),
    ),
)

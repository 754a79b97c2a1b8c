from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import examples, iam
from evidence.types import Seen


def judge(user: Resource, _seen: Seen) -> Verdict:
    attached = [row.get("PolicyName", "") for row in user.data.get("AttachedManagedPolicies") or ()]
    names = attached + [row.get("PolicyName", "") for row in iam.inline_policies(user.data)]
    if names:
        return failed(f"has policies of its own: {', '.join(sorted(names))}")
    return passed("has its permissions from groups only")


CHECK = Check(
    title="Users have their permissions from groups",
    severity=Severity.LOW,
    collectors=("iam",),
    supports=("164.308(a)(4)(ii)(B)", "164.308(a)(4)(ii)(C)"),
    rationale="Access that is granted person by person is not reviewed and not taken back when duties change; a group says what a function may do.",
    expected="No user has a policy attached or written for it alone.",
    fix=Fix(
        console="IAM, User groups: make a group for the function, attach the policy, add the user; then detach it from the user.",
        cli="aws iam detach-user-policy --user-name USER --policy-arn ARN && aws iam add-user-to-group --group-name GROUP --user-name USER",
        terraform='resource "aws_iam_group_policy_attachment" and "aws_iam_user_group_membership" instead of "aws_iam_user_policy_attachment"',
    ),
    resources=iam.detailed_users,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(examples.identities(UserDetailList=[examples.user("maria", GroupList=["nurses"])]),),
    failing=(
        examples.identities(
            UserDetailList=[
                examples.user(
                    "maria",
                    AttachedManagedPolicies=[{"PolicyName": "p", "PolicyArn": "arn:aws:iam::aws:policy/p"}],
                )
            ]
        ),
        examples.identities(
            UserDetailList=[
                examples.user(
                    "maria",
                    UserPolicyList=[{"PolicyName": "own", "PolicyDocument": examples.READ_ONE_BUCKET}],
                )
            ]
        ),
    ),
)

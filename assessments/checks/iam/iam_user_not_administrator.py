from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import examples, iam
from evidence.types import Seen


def judge(user: Resource, _seen: Seen) -> Verdict:
    if iam.is_administrator(user.data):
        return failed("has AdministratorAccess itself")
    if user.data["AdministratorGroups"]:
        return failed(f"has AdministratorAccess from {', '.join(sorted(user.data['AdministratorGroups']))}")
    return passed("does not have AdministratorAccess")


_ADMINISTRATOR = {
    "PolicyName": "AdministratorAccess",
    "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
}

CHECK = Check(
    title="Administrators take on a role instead of being one always",
    severity=Severity.MEDIUM,
    collectors=("iam",),
    supports=("164.308(a)(3)(ii)(A)", "164.308(a)(4)(ii)(B)", "164.312(a)(1)"),
    rationale="A user that is always an administrator reads all ePHI with one lasting credential; a role is taken on for a task, for hours, and leaves a record.",
    expected="No user has AdministratorAccess, directly or through a group.",
    fix=Fix(
        console="Make a role with the permissions, let the user take it on with MFA (IAM Identity Center, or a trust policy), and detach AdministratorAccess.",
        cli="aws iam detach-user-policy --user-name USER --policy-arn arn:aws:iam::aws:policy/AdministratorAccess",
    ),
    resources=iam.detailed_users,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(examples.identities(UserDetailList=[examples.user("maria", GroupList=["nurses"])]),),
    failing=(
        examples.identities(
            UserDetailList=[examples.user("maria", AttachedManagedPolicies=[_ADMINISTRATOR])]
        ),
        examples.identities(
            UserDetailList=[examples.user("maria", GroupList=["it"])],
            GroupDetailList=[
                {
                    "GroupName": "it",
                    "Arn": "arn:aws:iam::111122223333:group/it",
                    "AttachedManagedPolicies": [_ADMINISTRATOR],
                }
            ],
        ),
    ),
)

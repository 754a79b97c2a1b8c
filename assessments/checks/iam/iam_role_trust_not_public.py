from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.policy import public_grants
from assessments.checks.subjects import examples, iam
from assessments.checks.subjects.documents import reading_policies
from evidence.types import Seen


@reading_policies
def judge(role: Resource, seen: Seen) -> Verdict:
    grants = public_grants(iam.trust(role.data), seen.account_id)
    if grants:
        return failed("anyone with an AWS account may take the role on")
    return passed("only named principals may take the role on")


CHECK = Check(
    title="Roles trust named principals only",
    severity=Severity.CRITICAL,
    collectors=("iam",),
    supports=("164.312(a)(1)", "164.312(d)"),
    rationale="A role that trusts everyone gives what it may do, and the ePHI it may read, to any AWS account in the world.",
    expected="No role's trust policy allows a wildcard principal, unless a condition names accounts or an organisation.",
    fix=Fix(
        console="IAM, Roles, the role, Trust relationships, Edit: name the accounts, roles or services, or add a condition on aws:PrincipalOrgID.",
        cli="aws iam update-assume-role-policy --role-name ROLE --policy-document file://trust.json",
    ),
    resources=iam.roles,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.identities(
            RoleDetailList=[
                examples.role(
                    "app", AssumeRolePolicyDocument=examples.trust({"Service": "ec2.amazonaws.com"})
                )
            ]
        ),
        examples.identities(
            RoleDetailList=[
                examples.role(
                    "org",
                    AssumeRolePolicyDocument=examples.trust(
                        {"AWS": "*"}, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}
                    ),
                )
            ]
        ),
    ),
    failing=(
        examples.identities(
            RoleDetailList=[examples.role("app", AssumeRolePolicyDocument=examples.trust({"AWS": "*"}))]
        ),
        examples.identities(
            RoleDetailList=[
                examples.role(
                    "app",
                    AssumeRolePolicyDocument=examples.trust(
                        "*", Condition={"StringEquals": {"sts:ExternalId": "x"}}
                    ),
                )
            ]
        ),
    ),
)

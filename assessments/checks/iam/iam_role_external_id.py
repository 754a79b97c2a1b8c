from assessments.checks.base import (
    Check,
    Fix,
    Per,
    Resource,
    Severity,
    Verdict,
    failed,
    not_applicable,
    passed,
)
from assessments.checks.policy import external_accounts
from assessments.checks.subjects import examples, iam
from assessments.checks.subjects.documents import reading_policies
from evidence.types import Seen


@reading_policies
def judge(role: Resource, seen: Seen) -> Verdict:
    trust = iam.trust(role.data)
    others = external_accounts(trust, seen.account_id)
    if not others:
        return not_applicable("no other account may take the role on")
    bare = [account for account in others if iam.may_assume(trust, account)]
    if bare:
        return failed(
            f"account {', '.join(bare)} may take the role on without an external id, its organisation or MFA being asked for"
        )
    return passed(f"account {', '.join(others)} may take the role on under such a condition only")


_PARTNER = {"AWS": "arn:aws:iam::444455556666:root"}

CHECK = Check(
    title="Roles for other accounts ask for an external id or an organisation",
    severity=Severity.MEDIUM,
    collectors=("iam",),
    supports=("164.312(a)(1)", "164.312(d)"),
    rationale="A vendor that serves many customers from one account can be tricked into using one customer's role for another; the external id tells them apart. Each such account also has to be known to the tenant as a business associate.",
    expected="A trust policy that admits another account has a condition, on sts:ExternalId, aws:PrincipalOrgID or aws:MultiFactorAuthPresent.",
    fix=Fix(
        console="IAM, Roles, the role, Trust relationships, Edit: add the condition StringEquals sts:ExternalId with the value that the vendor gave.",
        cli="aws iam update-assume-role-policy --role-name ROLE --policy-document file://trust.json",
    ),
    resources=iam.roles,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.identities(
            RoleDetailList=[
                examples.role(
                    "vendor",
                    AssumeRolePolicyDocument=examples.trust(
                        _PARTNER, Condition={"StringEquals": {"sts:ExternalId": "c-4711"}}
                    ),
                )
            ]
        ),
    ),
    failing=(
        examples.identities(
            RoleDetailList=[
                examples.role(
                    "vendor",
                    AssumeRolePolicyDocument=examples.trust(
                        {"AWS": "arn:aws:iam::444455556666:role/scanner"}
                    ),
                )
            ]
        ),
        examples.identities(
            RoleDetailList=[
                examples.role(
                    "vendor",
                    AssumeRolePolicyDocument=examples.trust(
                        _PARTNER, Condition={"StringLike": {"sts:ExternalId": "*"}}
                    ),
                )
            ]
        ),
        examples.identities(
            RoleDetailList=[examples.role("vendor", AssumeRolePolicyDocument=examples.trust(_PARTNER))]
        ),
    ),
)

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
from assessments.checks.policy import Statement
from assessments.checks.subjects import examples, iam
from assessments.checks.subjects.documents import reading_policies
from evidence.types import Json, Seen

_PUBLIC_ISSUERS = (
    "cognito-identity.amazonaws.com",
    "accounts.google.com",
    "graph.facebook.com",
    "www.amazon.com",
)


def _federated(role: Resource) -> list[tuple[str, Statement]]:
    """The identity providers that a role trusts by web identity, with the statement that does."""
    return [
        (principal.value, statement)
        for statement in iam.trust(role.data).allowing
        if statement.principals is not None and statement.actions.cover("sts:assumerolewithwebidentity")
        for principal in statement.principals.values
        if principal.kind == "Federated" and ":saml-provider/" not in principal.value
    ]


def _is_narrowed(provider: str, statement: Statement) -> bool:
    """By whose token it is (`sub`); for the issuers that anyone may use, by which application (`aud`) at least."""
    keys = (":sub", ":aud", ":app_id") if provider in _PUBLIC_ISSUERS else (":sub",)
    return any(
        condition.key.endswith(keys)
        and not (condition.negated or condition.if_exists or condition.quantifier == "forallvalues")
        and not any(
            value.strip("*?") in ("", "repo:", "system:serviceaccount:") for value in condition.values
        )
        for condition in statement.conditions
    )


@reading_policies
def judge(role: Resource, _seen: Seen) -> Verdict:
    trusted = _federated(role)
    if not trusted:
        return not_applicable("trusts no web identity provider")
    wide = sorted({provider for provider, statement in trusted if not _is_narrowed(provider, statement)})
    if wide:
        return failed(f"anyone with a token of {', '.join(wide)} may take the role on")
    return passed("only named subjects of the identity provider may take the role on")


_GITHUB = "token.actions.githubusercontent.com"


def _role(**conditions: Json) -> dict[str, object]:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{_GITHUB}"},
        "Condition": conditions,
    }
    return examples.role("deploy", AssumeRolePolicyDocument={"Statement": [statement]})


CHECK = Check(
    title="Roles for web identities say whose token they accept",
    severity=Severity.HIGH,
    collectors=("iam",),
    supports=("164.312(a)(1)", "164.312(d)"),
    rationale="GitHub and the like give a token to anyone with a project of their own; a role that looks at the issuer only can be taken on by all of them.",
    expected="The trust policy has a condition on the token's subject (or, for Cognito and public sign-ins, its audience) that names more than a wildcard.",
    fix=Fix(
        console="IAM, Roles, the role, Trust relationships, Edit: add StringLike on the provider's sub, such as repo:ORGANISATION/REPOSITORY:*.",
        cli="aws iam update-assume-role-policy --role-name ROLE --policy-document file://trust.json",
    ),
    resources=iam.roles,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.identities(RoleDetailList=[_role(StringLike={f"{_GITHUB}:sub": "repo:clinic/app:*"})]),
    ),
    failing=(
        examples.identities(RoleDetailList=[_role(StringEquals={f"{_GITHUB}:aud": "sts.amazonaws.com"})]),
        examples.identities(RoleDetailList=[_role(StringLike={f"{_GITHUB}:sub": "repo:*"})]),
        examples.identities(RoleDetailList=[_role()]),
    ),
)

"""People, roles and what they may do: credentials, MFA, the password policy and every permission policy."""

from __future__ import annotations

from evidence.collectors.base import Action, Collector, Reader, Scope

_ALL_KINDS = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]
_LARGEST_PAGE = 1000


def collect(aws: Reader) -> None:
    aws.get("GetAccountSummary")
    # Where it can't be generated an earlier report may still be there; it carries its own date.
    aws.wait_for("GenerateCredentialReport", until=lambda answer: answer.get("State") == "COMPLETE")
    aws.get("GetCredentialReport")
    aws.get("GetAccountPasswordPolicy", absent=("NoSuchEntity",))
    aws.list("GetAccountAuthorizationDetails", "UserDetailList", Filter=_ALL_KINDS, MaxItems=_LARGEST_PAGE)
    aws.list("ListVirtualMFADevices", "VirtualMFADevices", MaxItems=_LARGEST_PAGE)
    aws.list("ListSAMLProviders", "SAMLProviderList")


COLLECTOR = Collector(
    title="Identity and Access Management",
    service="iam",
    scope=Scope.GLOBAL,
    version=1,
    actions=(
        Action(
            "iam:GetAccountSummary",
            "GetAccountSummary",
            "Shows whether the root user has MFA and access keys, and how many people have an account.",
        ),
        Action(
            "iam:GenerateCredentialReport",
            "GenerateCredentialReport",
            "Asks AWS to write its report on passwords, keys and MFA; it changes nothing else.",
        ),
        Action(
            "iam:GetCredentialReport",
            "GetCredentialReport",
            "Reads when passwords and access keys were last changed and used; never their values.",
        ),
        Action(
            "iam:GetAccountPasswordPolicy",
            "GetAccountPasswordPolicy",
            "Shows how long and how strong the account's passwords must be.",
        ),
        Action(
            "iam:GetAccountAuthorizationDetails",
            "GetAccountAuthorizationDetails",
            "Reads who may do what: users, groups, roles and their policies.",
        ),
        Action(
            "iam:ListVirtualMFADevices",
            "ListVirtualMFADevices",
            "Shows who, the root user among them, has a virtual MFA device.",
        ),
        Action(
            "iam:ListSAMLProviders",
            "ListSAMLProviders",
            "Shows whether people sign in through your organisation's own identity provider.",
        ),
    ),
    collect=collect,
)

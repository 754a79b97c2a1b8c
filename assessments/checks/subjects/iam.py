"""What the iam collector gives of one account: the account, users by the credential report, identities, policies."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from assessments.checks.base import Resource, Verdict, failed, not_applicable, passed, unknown
from assessments.checks.policy import Condition, Policy, Statement, allows_everything
from assessments.checks.subjects.documents import read
from assessments.checks.subjects.times import moment
from evidence.types import Gap, GapReason, Json, Seen, Unseen

ROOT = "<root_account>"
KEYS = ("1", "2")
ADMINISTRATOR = "policy/AdministratorAccess"


def account(seen: Seen) -> Iterator[Resource]:
    """The AWS account itself."""
    yield Resource(root_arn(seen), seen.account_id, "account", seen.region, {})


def root_arn(seen: Seen) -> str:
    """The ARN of the account's root user, which stands for the account."""
    return f"arn:{seen.partition}:iam::{seen.account_id}:root"


def summary(seen: Seen, entry: str) -> int | None:
    """One number of the account's summary; None where AWS did not give it."""
    numbers = (seen["iam"].get("GetAccountSummary") or {}).get("SummaryMap") or {}
    found: int | None = numbers.get(entry)
    return found


def password_policy(seen: Seen) -> Json | None:
    """The account's password policy; None where there is none and AWS's default of 8 characters applies."""
    answer = seen["iam"].get("GetAccountPasswordPolicy")
    return None if answer is None else answer.get("PasswordPolicy") or {}


def credentials(seen: Seen) -> Iterator[dict[str, str]]:
    """The rows of the credential report. Raises Unseen for a report without content."""
    content = (seen["iam"].get("GetCredentialReport") or {}).get("Content")
    if not content:
        raise Unseen(Gap("iam", "GetCredentialReport", seen.region, GapReason.NOT_COLLECTED))
    yield from csv.DictReader(io.StringIO(content))


def root_user(seen: Seen) -> Iterator[Resource]:
    """The root user, with its row of the credential report, or nothing where the report leaves it out."""
    row = next((row for row in credentials(seen) if row.get("user") == ROOT), {})
    yield Resource(root_arn(seen), "root", "root user", seen.region, row)


def users(seen: Seen) -> Iterator[Resource]:
    """IAM users, with their rows of the credential report."""
    for row in credentials(seen):
        if row.get("user") != ROOT:
            yield Resource(row["arn"], row["user"], "user", seen.region, row)


def console_users(seen: Seen) -> Iterator[Resource]:
    """IAM users that can sign in to the console with a password."""
    return (user for user in users(seen) if user.data.get("password_enabled") == "true")


def users_with_keys(seen: Seen) -> Iterator[Resource]:
    """IAM users with an active access key."""
    return (user for user in users(seen) if active_keys(user.data))


def active_keys(row: Json) -> list[str]:
    """Which of a user's two access keys are active: "1", "2"."""
    return [key for key in KEYS if row.get(f"access_key_{key}_active") == "true"]


def key_used_at(row: Json, key: str) -> datetime | None:
    """When an access key was last used, or if never, made; None where neither is known."""
    return moment(row.get(f"access_key_{key}_last_used_date")) or moment(
        row.get(f"access_key_{key}_last_rotated")
    )


def password_used_at(row: Json) -> datetime | None:
    """When a password was last used, or if never, set; None where neither is known."""
    return moment(row.get("password_last_used")) or moment(row.get("password_last_changed"))


def identities(seen: Seen, *lists: str) -> Iterator[Resource]:
    """Users, groups and roles of the account's authorization details, without the roles that AWS services own."""
    kinds = {"UserDetailList": "user", "GroupDetailList": "group", "RoleDetailList": "role"}
    for name in lists or tuple(kinds):
        for row in seen["iam"].items("GetAccountAuthorizationDetails", name):
            if not str(row.get("Path", "")).startswith("/aws-service-role/"):
                named = row.get(f"{kinds[name].title()}Name") or _last_part(row["Arn"])
                yield Resource(row["Arn"], named, kinds[name], seen.region, row)


def roles(seen: Seen) -> Iterator[Resource]:
    """Roles that the account's people made or can change."""
    return identities(seen, "RoleDetailList")


def detailed_users(seen: Seen) -> Iterator[Resource]:
    """Users with their policies and groups; `AdministratorGroups` are the names of groups with AdministratorAccess."""
    groups = [group for group in identities(seen, "GroupDetailList") if is_administrator(group.data)]
    names = frozenset(group.name for group in groups)
    for user in identities(seen, "UserDetailList"):
        yield user._replace(
            data={**user.data, "AdministratorGroups": names.intersection(user.data.get("GroupList") or ())}
        )


def is_administrator(identity: Json) -> bool:
    """Whether AWS's AdministratorAccess policy is attached."""
    return any(
        row.get("PolicyArn", "").endswith(ADMINISTRATOR)
        for row in identity.get("AttachedManagedPolicies") or ()
    )


def inline_policies(identity: Json) -> Sequence[Json]:
    """A user's, group's or role's own policies: PolicyName, PolicyDocument."""
    for field in ("UserPolicyList", "GroupPolicyList", "RolePolicyList"):
        if field in identity:
            return identity[field] or ()
    return ()


def identities_with_inline_policies(seen: Seen) -> Iterator[Resource]:
    """Users, groups and roles that have policies of their own."""
    return (one for one in identities(seen) if inline_policies(one.data))


def customer_policies(seen: Seen) -> Iterator[Resource]:
    """Managed policies that the account made."""
    for row in seen["iam"].items("GetAccountAuthorizationDetails", "Policies"):
        if f":iam::{seen.account_id}:" in row["Arn"]:
            yield Resource(
                row["Arn"], row.get("PolicyName") or _last_part(row["Arn"]), "policy", seen.region, row
            )


def _last_part(arn: str) -> str:
    return arn.rpartition("/")[2]


def current_document(policy: Json) -> Any:
    """The document of a managed policy's default version; "" where it is missing, which is no policy."""
    versions = policy.get("PolicyVersionList") or ()
    return next((version.get("Document") for version in versions if version.get("IsDefaultVersion")), "")


def judge_attached(policy: Resource, grants: str, offends: Any) -> Verdict:
    """FAIL for an attached managed policy that `offends`; `grants` says what it then allows. Raises ValueError."""
    attached = policy.data.get("AttachmentCount")
    if attached is None:
        return unknown("AWS did not say whether it is attached")
    if attached == 0:
        return not_applicable("attached to no user, group or role")
    if offends(read(current_document(policy.data))):
        return failed(f"allows {grants}; users, groups and roles that have it: {attached}")
    return passed(f"does not allow {grants}")


def judge_inline(identity: Resource, grants: str, offends: Any) -> Verdict:
    """FAIL for an identity one of whose inline policies `offends`. Raises ValueError."""
    listed = inline_policies(identity.data)
    bad = [row.get("PolicyName", "") for row in listed if offends(read(row.get("PolicyDocument", "")))]
    if bad:
        return failed(f"{', '.join(sorted(bad))} allows {grants}")
    return passed(f"none of its inline policies ({len(listed)}) allows {grants}")


def grants_everything(policy: Policy) -> bool:
    """Whether a policy makes its holder administrator."""
    return allows_everything(policy)


def decrypts_with_all_keys(policy: Policy) -> bool:
    """Whether it allows decrypting with every KMS key of the account, at least in one region."""
    denied = any(not deny.conditions and _all_keys(deny) and _decrypts(deny) for deny in policy.denying)
    return not denied and any(
        _all_keys(one) and _decrypts(one) and not _kms_narrowed(one) for one in policy.allowing
    )


def _decrypts(statement: Statement) -> bool:
    return statement.actions.cover("kms:decrypt") or statement.actions.cover("kms:reencryptfrom")


def _all_keys(statement: Statement) -> bool:
    resources = statement.resources
    if resources is None or resources.negated:
        return resources is not None
    return resources.cover("arn:aws:kms:*:*:key/*") or any(map(_is_all_keys, resources.values))


def _is_all_keys(value: str) -> bool:
    """An ARN pattern for all keys, of any one region, account or partition."""
    return ":kms:" in value and value.rpartition(":")[2] in ("*", "key/*")


def _kms_narrowed(statement: Statement) -> bool:
    """By key alias, calling service, encryption context or the key's tags: no longer every key for everything."""
    narrow = ("kms:", "aws:resourcetag/")
    return any(
        one.key.startswith(narrow) and not one.if_exists and not one.negated for one in statement.conditions
    )


def trust(role: Json) -> Policy:
    """Who may take a role on. Raises ValueError where it cannot be read."""
    return read(role.get("AssumeRolePolicyDocument", ""))


_TELLS_APART = {"sts:externalid", "aws:principalorgid", "aws:principalorgpaths", "aws:multifactorauthpresent"}


def may_assume(policy: Policy, account_id: str) -> bool:
    """Whether another account may take on the role without an external id, its organisation or MFA being asked."""
    return any(
        account_id in one.accounts
        and one.actions.cover("sts:assumerole")
        and not any(map(_tells_apart, one.conditions))
        for one in policy.allowing
    )


def _tells_apart(condition: Condition) -> bool:
    loose = condition.negated or condition.if_exists or condition.quantifier == "forallvalues"
    return condition.key in _TELLS_APART and not loose and not {"*", "false"} & set(condition.values)

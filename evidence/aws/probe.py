"""Proves a connection before it is used, and each day after: the role takes our external ID and no other.

Without the two refusals anyone who may use the portal could name someone else's role and have the portal
enter it (AWS IAM User Guide, "The confused deputy problem").
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from evidence.aws.errors import CALL_ERRORS, AwsCallFailed, WrongAccount, gap_from
from evidence.aws.policy import trust_policy
from evidence.aws.session import Access, AwsSession, Limits, RoleAccess, assume_role_once
from evidence.types import GLOBAL, Gap, GapReason

PROBE_LIMITS = Limits(concurrency=1, max_attempts=3, connect_timeout=5, read_timeout=15)


class StepName(StrEnum):
    """What is proved, in this order."""

    TRUST = "trust"
    WITHOUT_EXTERNAL_ID = "without_external_id"
    WRONG_EXTERNAL_ID = "wrong_external_id"
    IDENTITY = "identity"
    PERMISSIONS = "permissions"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _STEP_LABELS[self]


_STEP_LABELS = {
    StepName.TRUST: "The role can be assumed with this connection's external ID",
    StepName.WITHOUT_EXTERNAL_ID: "The role refuses to be assumed without an external ID",
    StepName.WRONG_EXTERNAL_ID: "The role refuses to be assumed with another external ID",
    StepName.IDENTITY: "The role belongs to the account that was registered",
    StepName.PERMISSIONS: "The role may read the account's configuration",
}


class StepOutcome(StrEnum):
    """UNKNOWN: the call gave neither yes nor no. SKIPPED: not tried as an earlier step failed."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Cause(StrEnum):
    """The likely cause of a failed step."""

    NONE = ""
    ROLE_OR_TRUST = "role_or_trust"
    EXTERNAL_ID_NOT_ENFORCED = "external_id_not_enforced"
    ORGANISATION_POLICY = "organisation_policy"
    OUR_IDENTITY = "our_identity"
    MISSING_PERMISSION = "missing_permission"
    WRONG_ACCOUNT = "wrong_account"
    REGION_OFF = "region_off"
    NO_CREDENTIALS = "no_credentials"
    UNREACHABLE = "unreachable"
    OTHER = "other"

    @property
    def label(self) -> str:
        """One sentence for people: what is likely wrong and what to do."""
        return _CAUSES[self]


_CAUSES = {
    Cause.NONE: "",
    Cause.ROLE_OR_TRUST: (
        "The role doesn't exist, or its trust policy doesn't name this portal with this external ID. "
        "Compare the role's ARN, and paste the trust policy below."
    ),
    Cause.EXTERNAL_ID_NOT_ENFORCED: (
        "The role's trust policy doesn't demand this external ID, so others could have the portal enter your "
        "account. Replace the trust policy by the one below."
    ),
    Cause.ORGANISATION_POLICY: (
        "A service control policy of your AWS organisation denies it. Ask whoever manages the organisation "
        "to exempt this role."
    ),
    Cause.OUR_IDENTITY: (
        "The portal's own identity may not assume roles; that is for the operator of this portal to mend."
    ),
    Cause.MISSING_PERMISSION: (
        "The role lacks the permission. Attach the generated policy to the role, or update its stack."
    ),
    Cause.WRONG_ACCOUNT: "The role belongs to another account than the one registered for this connection.",
    Cause.REGION_OFF: "AWS accepts no calls in that region; it is switched off for one of the accounts.",
    Cause.NO_CREDENTIALS: (
        "The portal has no AWS credentials of its own; that is for the operator of this portal to mend."
    ),
    Cause.UNREACHABLE: "AWS could not be reached, or what answered is not AWS. Check the network, try again.",
    Cause.OTHER: "AWS gave a reason that is not among the usual ones; its own words are shown.",
}


@dataclass(frozen=True, slots=True)
class ProbeStep:
    """One step: what is proved, how it went, what AWS said in its own words, and what to paste."""

    name: StepName
    outcome: StepOutcome
    happened: str
    cause: Cause = Cause.NONE
    paste: str = ""


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """All steps in order. `account_id` is what AWS said, "" where it said nothing."""

    steps: tuple[ProbeStep, ...]
    account_id: str = ""

    @property
    def passed(self) -> bool:
        """Whether every step passed; anything unknown is not a pass."""
        return all(step.outcome is StepOutcome.PASSED for step in self.steps)

    @property
    def refused(self) -> bool:
        """Whether the connection must not be used, because its role would let others in or is another's."""
        return any(step.cause in (Cause.EXTERNAL_ID_NOT_ENFORCED, Cause.WRONG_ACCOUNT) for step in self.steps)

    def step(self, name: StepName) -> ProbeStep:
        """Raises KeyError for a step that does not apply."""
        return {step.name: step for step in self.steps}[name]


def probe(
    access: Access, registered_account_id: str, *, principal_arn: str = "", limits: Limits = PROBE_LIMITS
) -> ProbeReport:
    """Tries a connection. Never raises for what AWS does: that becomes a failed or unknown step.

    `principal_arn` is the portal's own identity, as the trust policy to paste should name it. For ambient
    credentials only the identity and the permissions are tried.
    """
    steps: list[ProbeStep] = []
    if isinstance(access, RoleAccess):
        steps += _trust_steps(access, principal_arn, limits)
        if steps[0].outcome is not StepOutcome.PASSED:
            return ProbeReport((*steps, _skipped(StepName.IDENTITY), _skipped(StepName.PERMISSIONS)))
    identity, session = _identity_step(access, registered_account_id, limits)
    if session is None:
        return ProbeReport((*steps, identity, _skipped(StepName.PERMISSIONS)))
    return ProbeReport((*steps, identity, _permissions_step(session)), registered_account_id)


def _trust_steps(access: RoleAccess, principal_arn: str, limits: Limits) -> Iterator[ProbeStep]:
    paste = ""
    if access.external_id is not None and principal_arn:
        paste = json.dumps(trust_policy(principal_arn, access.external_id), indent=2)
    first = _acceptance(access, paste, limits)
    yield first
    for name, external_id in (
        (StepName.WITHOUT_EXTERNAL_ID, None),
        (StepName.WRONG_EXTERNAL_ID, str(uuid.uuid4())),
    ):
        # A role that refuses us altogether says nothing of the external ID.
        if first.outcome is StepOutcome.PASSED:
            yield _refusal(name, replace(access, external_id=external_id), paste, limits)
        else:
            yield _skipped(name)


def _acceptance(access: RoleAccess, paste: str, limits: Limits) -> ProbeStep:
    gap = _gap_of(lambda: assume_role_once(access, limits), "AssumeRole")
    if gap is None:
        return ProbeStep(StepName.TRUST, StepOutcome.PASSED, "AWS gave a session for the role.")
    cause = _cause_of_refused_role(gap)
    shown = paste if cause is Cause.ROLE_OR_TRUST else ""
    return ProbeStep(StepName.TRUST, StepOutcome.FAILED, _words(gap), cause, shown)


def _refusal(name: StepName, access: RoleAccess, paste: str, limits: Limits) -> ProbeStep:
    """Passed only when AWS says no; an answer that is neither yes nor no is unknown."""
    gap = _gap_of(lambda: assume_role_once(access, limits), "AssumeRole")
    if gap is None:
        happened = "AWS gave a session for the role, which it must not."
        return ProbeStep(name, StepOutcome.FAILED, happened, Cause.EXTERNAL_ID_NOT_ENFORCED, paste)
    if gap.reason is GapReason.DENIED and gap.code in _REFUSALS:
        return ProbeStep(name, StepOutcome.PASSED, _words(gap))
    return ProbeStep(name, StepOutcome.UNKNOWN, _words(gap), _cause_of(gap))


def _identity_step(access: Access, registered: str, limits: Limits) -> tuple[ProbeStep, AwsSession | None]:
    try:
        session = AwsSession(access, limits)
        found = session.account_id()
    except WrongAccount as error:
        return ProbeStep(StepName.IDENTITY, StepOutcome.FAILED, str(error), Cause.WRONG_ACCOUNT), None
    except AwsCallFailed as error:
        gap = error.gap
        return ProbeStep(StepName.IDENTITY, StepOutcome.FAILED, _words(gap), _cause_of(gap)), None
    if found != registered:
        text = str(WrongAccount(registered, found))
        return ProbeStep(StepName.IDENTITY, StepOutcome.FAILED, text, Cause.WRONG_ACCOUNT), None
    return ProbeStep(
        StepName.IDENTITY, StepOutcome.PASSED, f"AWS says that this is account {found}."
    ), session


def _permissions_step(session: AwsSession) -> ProbeStep:
    client: Any = session.client("iam")
    gap = _gap_of(client.get_account_summary, "GetAccountSummary", "iam", "iam:GetAccountSummary")
    if gap is None:
        return ProbeStep(StepName.PERMISSIONS, StepOutcome.PASSED, "AWS answered a first reading call.")
    cause = _cause_of(gap)
    if gap.reason is GapReason.DENIED and cause is Cause.OTHER:
        cause = Cause.MISSING_PERMISSION
    return ProbeStep(StepName.PERMISSIONS, StepOutcome.FAILED, _words(gap), cause)


def _gap_of(call: Callable[[], Any], operation: str, service: str = "sts", action: str = "") -> Gap | None:
    try:
        call()
    except CALL_ERRORS as error:
        return gap_from(error, service=service, operation=operation, region=GLOBAL, action=action)
    return None


_REFUSALS = frozenset({"AccessDenied", "AccessDeniedException"})
_OUT_OF_REACH = frozenset({GapReason.TIMED_OUT, GapReason.UNSUPPORTED, GapReason.THROTTLED})


def _cause_of_refused_role(gap: Gap) -> Cause:
    cause = _cause_of(gap)
    if cause is not Cause.OTHER or gap.code not in _REFUSALS:
        return cause
    ours = "no identity-based policy allows the sts:AssumeRole action" in gap.message
    return Cause.OUR_IDENTITY if ours else Cause.ROLE_OR_TRUST


def _cause_of(gap: Gap) -> Cause:
    if gap.code in ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"):
        return Cause.NO_CREDENTIALS
    if gap.code in ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"):
        return Cause.NO_CREDENTIALS
    if "control policy" in gap.message:
        return Cause.ORGANISATION_POLICY
    if gap.reason is GapReason.REGION_OFF or gap.code == "RegionDisabledException":
        return Cause.REGION_OFF
    if gap.reason in _OUT_OF_REACH or gap.code.endswith("Error"):
        return Cause.UNREACHABLE
    return Cause.OTHER


def _words(gap: Gap) -> str:
    return f"{gap.code}: {gap.message}" if gap.message else gap.code


def _skipped(name: StepName) -> ProbeStep:
    return ProbeStep(name, StepOutcome.SKIPPED, "Not tried, because an earlier step failed.")

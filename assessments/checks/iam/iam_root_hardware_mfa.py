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
    unknown,
)
from assessments.checks.subjects import iam
from evidence.types import Seen


def judge(account: Resource, seen: Seen) -> Verdict:
    enabled = iam.summary(seen, "AccountMFAEnabled")
    if enabled is None:
        return unknown("AWS did not say whether the root user has MFA")
    if not enabled:
        return not_applicable("the root user has no MFA, which another check reports")
    devices = seen["iam"].items("ListVirtualMFADevices", "VirtualMFADevices")
    virtual = [
        row.get("SerialNumber", "") for row in devices if (row.get("User") or {}).get("Arn") == account.arn
    ]
    if virtual:
        return failed(f"the root user's MFA is an app, {', '.join(sorted(virtual))}")
    return passed("the root user's MFA is a security key or hardware token")


CHECK = Check(
    title="The root user's MFA is hardware",
    severity=Severity.LOW,
    collectors=("iam",),
    supports=("164.312(d)",),
    rationale="An app on one person's telephone is lost, replaced or copied with the telephone; a security key in a safe withstands phishing and outlives staff changes.",
    expected="The root user has a security key or hardware token and no virtual MFA device.",
    fix=Fix(
        console="Sign in as root, Security credentials, Assign MFA device, Security key; then remove the authenticator app."
    ),
    resources=iam.account,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        {
            "iam": {
                "GetAccountSummary": {"": {"SummaryMap": {"AccountMFAEnabled": 1}}},
                "ListVirtualMFADevices": {"": {"VirtualMFADevices": []}},
            }
        },
    ),
    failing=(
        {
            "iam": {
                "GetAccountSummary": {"": {"SummaryMap": {"AccountMFAEnabled": 1}}},
                "ListVirtualMFADevices": {
                    "": {
                        "VirtualMFADevices": [
                            {
                                "SerialNumber": "arn:aws:iam::111122223333:mfa/root-account-mfa-device",
                                "User": {"Arn": "arn:aws:iam::111122223333:root"},
                            }
                        ]
                    }
                },
            }
        },
    ),
)

from assessments.checks.base import (
    Check,
    Fix,
    Resource,
    Severity,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
)
from assessments.checks.subjects import examples, kms
from evidence.types import Seen


def judge(key: Resource, seen: Seen) -> Verdict:
    state = kms.metadata(key, seen).get("KeyState")
    if kms.is_going(key, seen):
        return not_applicable("it is scheduled for deletion, which another check reports")
    if state == "Disabled":
        return failed("it is disabled, so what it encrypts cannot be read")
    if state in ("Unavailable", "PendingImport"):
        return failed(f"it is {state}: its material is missing, so what it encrypts cannot be read")
    return passed(f"it is {state}") if state else unknown("AWS did not give its state")


CHECK = Check(
    title="Keys are enabled",
    severity=Severity.LOW,
    collectors=("kms",),
    supports=("164.312(a)(2)(iv)",),
    rationale="Encryption and decryption are one mechanism: with the key disabled, ePHI that it protects cannot be reached when it is needed.",
    expected="Every customer-managed key is enabled, or known to encrypt nothing.",
    fix=Fix(
        console="KMS, Customer managed keys, the key, Key actions, Enable; or schedule its deletion after making sure that nothing needs it.",
        cli="aws kms enable-key --key-id KEY",
        terraform='is_enabled = true in resource "aws_kms_key"',
    ),
    resources=kms.keys,
    judge=judge,
    passing=(examples.key(),),
    failing=(examples.key(KeyState="Disabled"), examples.key(KeyState="Unavailable")),
)

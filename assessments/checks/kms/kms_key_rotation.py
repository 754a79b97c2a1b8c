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
    metadata = kms.metadata(key, seen)
    if (
        metadata.get("Origin") != "AWS_KMS"
        or metadata.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT"
    ):
        return not_applicable(
            "KMS cannot rotate imported, asymmetric, HMAC or external keys; replacing them is for an attestation"
        )
    if metadata.get("KeyState") != "Enabled":
        return not_applicable(f"the key is {metadata.get('KeyState')}")
    rotation = seen["kms"].get("GetKeyRotationStatus", key.name) or {}
    if "KeyRotationEnabled" not in rotation:
        return unknown("AWS did not say whether the key is rotated")
    if rotation["KeyRotationEnabled"]:
        return passed(f"rotated every {rotation.get('RotationPeriodInDays', 365)} days")
    return failed("automatic rotation is off")


CHECK = Check(
    title="Customer-managed keys are rotated",
    severity=Severity.MEDIUM,
    collectors=("kms",),
    supports=("164.312(a)(2)(iv)",),
    rationale="Rotation limits how much ePHI one version of the key material protects, and costs nothing: old data stays readable.",
    expected="Automatic rotation is on for symmetric keys that KMS made.",
    fix=Fix(
        console="KMS, Customer managed keys, the key, Key rotation, Edit: Enable.",
        cli="aws kms enable-key-rotation --key-id KEY --rotation-period-in-days 365",
        terraform='enable_key_rotation = true in resource "aws_kms_key"',
    ),
    resources=kms.keys,
    judge=judge,
    passing=(examples.key(rotation={"KeyRotationEnabled": True, "RotationPeriodInDays": 365}),),
    failing=(examples.key(rotation={"KeyRotationEnabled": False}),),
)

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
from assessments.checks.subjects.times import days_since
from evidence.types import Seen

_DAYS = 30


def judge(key: Resource, seen: Seen) -> Verdict:
    metadata = kms.metadata(key, seen)
    if metadata.get("Origin") != "EXTERNAL":
        return not_applicable("its material was not imported")
    if metadata.get("ExpirationModel") != "KEY_MATERIAL_EXPIRES":
        return passed("its material does not expire")
    passed_days = days_since(metadata.get("ValidTo"), seen)
    if passed_days is None:
        return unknown("AWS did not say when the imported material expires")
    if -passed_days < _DAYS:
        return failed(f"its imported material expires on {metadata['ValidTo']}")
    return passed(f"its imported material is valid until {metadata['ValidTo']}")


CHECK = Check(
    title="Imported key material does not run out",
    severity=Severity.MEDIUM,
    collectors=("kms",),
    supports=("164.308(a)(7)(ii)(A)", "164.312(a)(2)(iv)"),
    rationale="When imported material expires KMS deletes it, and ePHI under the key is unreadable until the same material is brought again.",
    expected="Imported material does not expire within 30 days.",
    fix=Fix(
        console="KMS, the key, Key material, Reimport key material.",
        cli="aws kms import-key-material --key-id KEY --encrypted-key-material fileb://material --import-token fileb://token --expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE",
    ),
    resources=kms.keys,
    judge=judge,
    passing=(
        examples.key(Origin="EXTERNAL", ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE"),
        examples.key(
            Origin="EXTERNAL", ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo="2027-01-01T00:00:00Z"
        ),
    ),
    failing=(
        examples.key(
            Origin="EXTERNAL", ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo="2026-02-01T00:00:00Z"
        ),
    ),
)

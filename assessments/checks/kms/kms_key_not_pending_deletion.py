from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import examples, kms
from evidence.types import Seen


def judge(key: Resource, seen: Seen) -> Verdict:
    metadata = kms.metadata(key, seen)
    if kms.is_going(key, seen):
        return failed(f"it will be deleted on {metadata.get('DeletionDate', 'a date that AWS did not give')}")
    return (
        passed(f"it is {metadata.get('KeyState')}")
        if metadata.get("KeyState")
        else unknown("AWS did not give its state")
    )


CHECK = Check(
    title="No key is about to be deleted",
    severity=Severity.HIGH,
    collectors=("kms",),
    supports=("164.308(a)(7)(ii)(A)", "164.312(a)(2)(iv)"),
    rationale="With the key go all data and all backups that it encrypts, for ever; an exact copy of ePHI that cannot be decrypted is no copy.",
    expected="No customer-managed key is scheduled for deletion; where deletion is meant, an exception says why.",
    fix=Fix(
        console="KMS, Customer managed keys, the key, Key actions, Cancel key deletion; then enable it.",
        cli="aws kms cancel-key-deletion --key-id KEY && aws kms enable-key --key-id KEY",
    ),
    resources=kms.keys,
    judge=judge,
    passing=(examples.key(),),
    failing=(examples.key(KeyState="PendingDeletion", DeletionDate="2026-02-01T00:00:00Z"),),
)

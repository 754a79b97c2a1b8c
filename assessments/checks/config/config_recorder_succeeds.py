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
from assessments.checks.subjects import config, examples
from evidence.types import Seen


def judge(recorder: Resource, seen: Seen) -> Verdict:
    status = config.status(recorder, seen)
    if not status.get("recording"):
        return not_applicable("it is off, which another check reports")
    word = str(status.get("lastStatus", "")).upper()
    if word == "SUCCESS":
        return passed("its last recording succeeded")
    if word == "FAILURE":
        return failed(
            f"its last recording failed: {status.get('lastErrorMessage') or status.get('lastErrorCode')}"
        )
    return unknown(f"the state of its last recording is {word.lower() or 'not given'}")


CHECK = Check(
    title="The recorder of AWS Config works",
    severity=Severity.MEDIUM,
    collectors=("config",),
    supports=("164.312(b)",),
    rationale="A recorder that is on and fails, for want of a role or a permission, records nothing.",
    expected="The recorder's last recording succeeded.",
    fix=Fix(
        console="AWS Config, Settings: mend the role (AWSServiceRoleForConfig) that the error names.",
        cli="aws configservice describe-configuration-recorder-status",
    ),
    resources=config.recorders,
    judge=judge,
    passing=(examples.recorder(status={"recording": True, "lastStatus": "SUCCESS"}),),
    failing=(
        examples.recorder(
            status={"recording": True, "lastStatus": "FAILURE", "lastErrorCode": "AccessDenied"}
        ),
    ),
)

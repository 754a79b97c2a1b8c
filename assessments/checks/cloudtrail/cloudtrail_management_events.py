from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict
from assessments.checks.subjects import examples, iam, trail
from evidence.types import Seen


def _records_all(one: Resource, seen: Seen) -> bool:
    return trail.covers_account(one, seen) and not trail.management_events(trail.selectors(one, seen))


def judge(_account: Resource, seen: Seen) -> Verdict:
    return trail.judge_any(
        seen,
        _records_all,
        "records all management events",
        "of all regions records every management event, reads and writes",
    )


_ALL = {
    "EventSelectors": [
        {"IncludeManagementEvents": True, "ReadWriteType": "All", "ExcludeManagementEventSources": []}
    ]
}
_ADVANCED = [{"Field": "eventCategory", "Equals": ["Management"]}]
_WITHOUT_KMS = [*_ADVANCED, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}]

CHECK = Check(
    title="A trail records all management events, reads and writes",
    severity=Severity.HIGH,
    collectors=("cloudtrail",),
    supports=("164.312(b)",),
    rationale="Reads show who looked around before an incident, and KMS events who decrypted ePHI; a trail that leaves them out leaves the questions of an investigation open.",
    expected="A trail of all regions records read and write management events and leaves out no service.",
    fix=Fix(
        console="CloudTrail, the trail, Management events, Edit: Read and Write, and do not exclude AWS KMS or RDS Data API events.",
        cli="""aws cloudtrail put-event-selectors --trail-name main --event-selectors '[{"ReadWriteType":"All","IncludeManagementEvents":true}]'""",
        terraform='event_selector { read_write_type = "All", include_management_events = true } in resource "aws_cloudtrail"',
    ),
    resources=iam.account,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.trail({"IsLogging": True}, _ALL, IsMultiRegionTrail=True),
        examples.trail(
            {"IsLogging": True},
            {"AdvancedEventSelectors": [{"FieldSelectors": _ADVANCED}]},
            IsMultiRegionTrail=True,
        ),
    ),
    failing=(
        examples.trail(
            {"IsLogging": True},
            {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "WriteOnly"}]},
            IsMultiRegionTrail=True,
        ),
        examples.trail(
            {"IsLogging": True},
            {
                "EventSelectors": [
                    {
                        "IncludeManagementEvents": True,
                        "ReadWriteType": "All",
                        "ExcludeManagementEventSources": ["kms.amazonaws.com"],
                    }
                ]
            },
            IsMultiRegionTrail=True,
        ),
        examples.trail(
            {"IsLogging": True},
            {"AdvancedEventSelectors": [{"FieldSelectors": _WITHOUT_KMS}]},
            IsMultiRegionTrail=True,
        ),
        examples.trail({"IsLogging": False}, _ALL, IsMultiRegionTrail=True),
    ),
)

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import config, examples
from evidence.types import Seen


def judge(recorder: Resource, _seen: Seen) -> Verdict:
    group = recorder.data.get("recordingGroup") or {}
    strategy = (group.get("recordingStrategy") or {}).get("useOnly")
    if group.get("allSupported") or strategy == "ALL_SUPPORTED_RESOURCE_TYPES":
        return passed("it records all types of resources")
    if strategy == "EXCLUSION_BY_RESOURCE_TYPES":
        excluded = (group.get("exclusionByResourceTypes") or {}).get("resourceTypes") or ()
        return failed(f"it leaves out {', '.join(sorted(excluded))}")
    return failed(f"it records {len(group.get('resourceTypes') or ())} chosen types only")


CHECK = Check(
    title="AWS Config records all types of resources",
    severity=Severity.LOW,
    collectors=("config",),
    supports=("164.308(a)(8)", "164.312(b)"),
    rationale="New kinds of resources come to hold ePHI without anybody telling the recorder; one that records chosen types only misses them.",
    expected="The recorder records all supported types.",
    fix=Fix(
        console="AWS Config, Settings, Edit: record all current and future resource types.",
        cli="aws configservice put-configuration-recorder --configuration-recorder name=default,roleARN=ROLE --recording-group allSupported=true",
        terraform='recording_group { all_supported = true } in resource "aws_config_configuration_recorder"',
    ),
    resources=config.recorders,
    judge=judge,
    passing=(examples.recorder(),),
    failing=(
        examples.recorder(recordingGroup={"allSupported": False, "resourceTypes": ["AWS::S3::Bucket"]}),
        examples.recorder(
            recordingGroup={
                "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
                "exclusionByResourceTypes": {"resourceTypes": ["AWS::KMS::Key"]},
            }
        ),
    ),
)

from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import config, examples
from evidence.types import Seen, Unseen

_IAM = {"AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::Policy"}


def judge(_account: Resource, seen: Seen) -> Verdict:
    gap = None
    for answers in seen.regions("config"):
        view = seen.from_region(answers.region)
        try:
            for recorder in config.recorders(view):
                if _records_iam(recorder) and config.status(recorder, view).get("recording"):
                    return passed(f"recorder {recorder.name} of {answers.region} records IAM")
        except Unseen as unseen:
            gap = unseen.gap
    if gap is not None:
        raise Unseen(gap)
    return failed("no recorder of any region that is on records IAM users, groups, roles and policies")


def _records_iam(recorder: Resource) -> bool:
    group = recorder.data.get("recordingGroup") or {}
    excluded = set((group.get("exclusionByResourceTypes") or {}).get("resourceTypes") or ())
    by_exclusion = (group.get("recordingStrategy") or {}).get("useOnly") == "EXCLUSION_BY_RESOURCE_TYPES"
    named = set(group.get("resourceTypes") or ())
    return (
        bool(group.get("includeGlobalResourceTypes"))
        or named >= _IAM
        or (by_exclusion and not excluded & _IAM)
    )


CHECK = Check(
    title="AWS Config records IAM in one region",
    severity=Severity.LOW,
    collectors=("config",),
    supports=("164.308(a)(4)(ii)(C)", "164.312(b)"),
    rationale="Who was allowed what, and since when, is asked in every review of access to ePHI; AWS Config can answer only if global resources are recorded somewhere.",
    expected="A recorder that is on includes the global resource types.",
    fix=Fix(
        console="AWS Config in the home region, Settings, Edit: include globally recorded resource types.",
        cli="aws configservice put-configuration-recorder --configuration-recorder name=default,roleARN=ROLE --recording-group allSupported=true,includeGlobalResourceTypes=true",
        terraform='recording_group { include_global_resource_types = true } in resource "aws_config_configuration_recorder"',
    ),
    resources=config.account,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.recorder(
            {"recording": True}, recordingGroup={"allSupported": True, "includeGlobalResourceTypes": True}
        ),
        examples.recorder({"recording": True}, recordingGroup={"resourceTypes": sorted(_IAM)}),
    ),
    failing=(
        examples.recorder(
            {"recording": True}, recordingGroup={"resourceTypes": ["AWS::IAM::User", "AWS::S3::Bucket"]}
        ),
        examples.recorder(
            {"recording": True},
            recordingGroup={
                "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
                "exclusionByResourceTypes": {"resourceTypes": ["AWS::IAM::Role"]},
            },
        ),
        examples.recorder({"recording": True}),
        examples.recorder(
            {"recording": False}, recordingGroup={"allSupported": True, "includeGlobalResourceTypes": True}
        ),
    ),
)

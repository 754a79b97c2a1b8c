from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import config, examples
from evidence.types import Seen


def judge(_region: Resource, seen: Seen) -> Verdict:
    found = list(config.recorders(seen))
    if not found:
        return failed("there is no recorder")
    on = [one.name for one in found if config.status(one, seen).get("recording")]
    if on:
        return passed(f"recorder {', '.join(sorted(on))} is on")
    return failed(f"recorder {', '.join(sorted(one.name for one in found))} is off")


CHECK = Check(
    title="AWS Config records changes in the region",
    severity=Severity.MEDIUM,
    collectors=("config",),
    supports=("164.308(a)(8)", "164.312(b)"),
    rationale="Safeguards are to be evaluated again when the environment changes; AWS Config keeps what changed and when, so that a change of the settings around ePHI can be found and explained.",
    expected="A recorder is on.",
    fix=Fix(
        console="AWS Config, Settings: turn the recorder on, in every region in use.",
        cli="aws configservice start-configuration-recorder --configuration-recorder-name default",
        terraform='resource "aws_config_configuration_recorder_status" "this" { is_enabled = true ... }',
    ),
    resources=config.region,
    judge=judge,
    passing=(examples.recorder(status={"recording": True}),),
    failing=(
        examples.recorder(status={"recording": False}),
        {"config": {"DescribeConfigurationRecorders": {"": {"ConfigurationRecorders": []}}}},
    ),
)

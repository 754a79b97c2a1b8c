"""AWS Config: whether changes to resources are recorded, delivered and judged by rules."""

from __future__ import annotations

from evidence.collectors.base import Action, Collector, Reader, Scope


def collect(aws: Reader) -> None:
    aws.list("DescribeConfigurationRecorders", "ConfigurationRecorders")
    aws.list("DescribeConfigurationRecorderStatus", "ConfigurationRecordersStatus")
    aws.list("DescribeDeliveryChannels", "DeliveryChannels")
    aws.list("DescribeDeliveryChannelStatus", "DeliveryChannelsStatus")
    aws.list("DescribeConfigRules", "ConfigRules")
    aws.list("DescribeComplianceByConfigRule", "ComplianceByConfigRules")


COLLECTOR = Collector(
    title="AWS Config",
    service="config",
    scope=Scope.REGIONAL,
    version=1,
    actions=(
        Action(
            "config:DescribeConfigurationRecorders",
            "DescribeConfigurationRecorders",
            "Shows which kinds of resources have their changes recorded.",
        ),
        Action(
            "config:DescribeConfigurationRecorderStatus",
            "DescribeConfigurationRecorderStatus",
            "Shows whether the recording of changes is on and working.",
        ),
        Action(
            "config:DescribeDeliveryChannels",
            "DescribeDeliveryChannels",
            "Shows where the record of changes is kept.",
        ),
        Action(
            "config:DescribeDeliveryChannelStatus",
            "DescribeDeliveryChannelStatus",
            "Shows whether the record of changes still arrives where it is kept.",
        ),
        Action(
            "config:DescribeConfigRules",
            "DescribeConfigRules",
            "Shows which rules AWS Config applies to your resources.",
        ),
        Action(
            "config:DescribeComplianceByConfigRule",
            "DescribeComplianceByConfigRule",
            "Shows which of those rules AWS Config finds broken.",
        ),
    ),
    collect=collect,
)

"""What an account records about itself: trails, log groups, alarms, AWS Config."""

from __future__ import annotations

from typing import Any

from portal.demo.hospital.account import Account

_SIX_YEARS_OF_LOGS = 2192


def _group_arn(account: Account, name: str, region: str | None = None) -> str:
    return account.arn("logs", f"log-group:{name}:*", region=region)


def seed_log_groups(account: Account, names: dict[str, tuple[int, str]]) -> None:
    """``names`` maps a log group to its retention in days (0: for ever) and the word of a key ('': none)."""
    logs = account.client("logs")
    for name, (days, key) in names.items():
        logs.create_log_group(
            logGroupName=name, **({"kmsKeyId": account.recall(f"key:{key}")} if key else {})
        )
        if days:
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)


def mercy_log_groups(account: Account) -> dict[str, tuple[int, str]]:
    return {
        f"/{account.prefix}/cloudtrail": (_SIX_YEARS_OF_LOGS, "audit-logs"),
        f"/{account.prefix}/vpc-flow": (365, "audit-logs"),
        f"/{account.prefix}/ehr-app": (0, ""),
        "/aws/lambda/hl7-router": (14, ""),
        "/aws/rds/instance/ehr-primary/postgresql": (_SIX_YEARS_OF_LOGS, ""),
    }


def northwind_log_groups(account: Account) -> dict[str, tuple[int, str]]:
    return {f"/{account.prefix}/cloudtrail": (90, ""), f"/{account.prefix}/vpc-flow": (30, "")}


def _good_trail(account: Account, bucket: str) -> None:
    trail = account.client("cloudtrail")
    name = f"{account.prefix}-audit"
    trail.create_trail(
        Name=name,
        S3BucketName=bucket,
        IsMultiRegionTrail=True,
        IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=True,
        KmsKeyId=account.recall("key:audit-logs"),
        CloudWatchLogsLogGroupArn=_group_arn(account, f"/{account.prefix}/cloudtrail"),
        CloudWatchLogsRoleArn=account.recall("role:cloudtrail"),
    )
    data = {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{account.prefix}-ehr-documents/"]}
    trail.put_event_selectors(
        TrailName=name,
        EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [data]}],
    )
    trail.start_logging(Name=name)


def _poor_trail(account: Account, bucket: str, region: str, *, running: bool) -> None:
    trail = account.client("cloudtrail", region)
    name = f"{account.prefix}-regional"
    trail.create_trail(Name=name, S3BucketName=bucket, IsMultiRegionTrail=False)
    if running:
        trail.start_logging(Name=name)


def seed_mercy_trails(account: Account) -> None:
    bucket = f"{account.prefix}-cloudtrail-logs"
    _good_trail(account, bucket)
    _poor_trail(account, bucket, account.secondary, running=False)


def seed_northwind_trails(account: Account) -> None:
    _poor_trail(account, f"{account.prefix}-audit", account.primary, running=True)


def seed_alarms(account: Account) -> None:
    """A topic, and for two of the usual patterns a metric filter with an alarm; a third filter has none."""
    topic = account.client("sns").create_topic(
        Name=f"{account.prefix}-security", Attributes={"KmsMasterKeyId": account.recall("key:audit-logs")}
    )["TopicArn"]
    account.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="security@example.org")
    patterns = {
        "RootAccountUse": '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && '
        '$.eventType != "AwsServiceEvent" }',
        "UnauthorizedCalls": '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
        "TrailChanges": "{ ($.eventName = StopLogging) || ($.eventName = DeleteTrail) }",
    }
    for name, pattern in patterns.items():
        _metric_filter(account, name, pattern)
    for name in ("RootAccountUse", "UnauthorizedCalls"):
        _alarm(account, name, [topic])


def _metric_filter(account: Account, name: str, pattern: str) -> None:
    metric = {"metricName": name, "metricNamespace": "Security", "metricValue": "1"}
    account.client("logs").put_metric_filter(
        logGroupName=f"/{account.prefix}/cloudtrail",
        filterName=name,
        filterPattern=pattern,
        metricTransformations=[metric],
    )


def _alarm(account: Account, name: str, actions: list[str]) -> None:
    account.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="Security",
        MetricName=name,
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=actions,
    )


def _recorder(account: Account, region: str, bucket: str, *, running: bool) -> None:
    config = account.client("config", region)
    group = {"allSupported": True, "includeGlobalResourceTypes": region == account.primary}
    recorder = {"name": "default", "roleARN": account.recall("role:config"), "recordingGroup": group}
    config.put_configuration_recorder(ConfigurationRecorder=recorder)
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": bucket})
    if running:
        config.start_configuration_recorder(ConfigurationRecorderName="default")


def _rules(account: Account, results: dict[str, list[dict[str, Any]]]) -> None:
    config = account.client("config")
    for name in results:
        source = {"Owner": "AWS", "SourceIdentifier": name.upper().replace("-", "_")}
        config.put_config_rule(ConfigRule={"ConfigRuleName": name, "Source": source})
    account.aws.set_setting(
        "config_rule_results", results, account=account.account_id, region=account.primary
    )


def seed_mercy_config(account: Account) -> None:
    """Recording in the primary region; in the secondary one set up and switched off."""
    bucket = f"{account.prefix}-cloudtrail-logs"
    _recorder(account, account.primary, bucket, running=True)
    _recorder(account, account.secondary, bucket, running=False)
    volumes = account.client("ec2").describe_volumes()["Volumes"]
    encrypted = [
        {
            "type": "AWS::EC2::Volume",
            "id": volume["VolumeId"],
            "compliance": "COMPLIANT" if volume["Encrypted"] else "NON_COMPLIANT",
        }
        for volume in volumes
    ]
    trail = {"type": "AWS::CloudTrail::Trail", "id": f"{account.prefix}-audit", "compliance": "COMPLIANT"}
    _rules(
        account,
        {"encrypted-volumes": encrypted, "cloud-trail-enabled": [trail], "root-account-mfa-enabled": []},
    )


def seed_northwind_config(account: Account) -> None:
    _recorder(account, account.primary, f"{account.prefix}-audit", running=True)
    failure = {"status": "FAILURE", "code": "AccessDenied", "message": "The bucket policy refuses delivery"}
    account.aws.set_setting("config_delivery", failure, account=account.account_id, region=account.primary)

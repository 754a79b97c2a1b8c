"""What an account records about itself: trails, log groups, alarms, AWS Config."""

from __future__ import annotations

from collections.abc import Iterable

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
        "/aws/rds/instance/ehr-primary/postgresql": (_SIX_YEARS_OF_LOGS, "audit-logs"),
    }


def northwind_log_groups(account: Account) -> dict[str, tuple[int, str]]:
    return {
        f"/{account.prefix}/cloudtrail": (_SIX_YEARS_OF_LOGS, "audit-logs"),
        f"/{account.prefix}/vpc-flow": (_SIX_YEARS_OF_LOGS, "audit-logs"),
        "/aws/rds/instance/worklist/postgresql": (_SIX_YEARS_OF_LOGS, "audit-logs"),
    }


def _good_trail(account: Account, bucket: str, *objects: str) -> None:
    """A trail of all regions; ``objects`` are the prefixes of S3 objects whose reads and writes it records."""
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
    data = {"Type": "AWS::S3::Object", "Values": list(objects)}
    trail.put_event_selectors(
        TrailName=name,
        EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [data]}],
    )
    trail.start_logging(Name=name)


def seed_mercy_trails(account: Account) -> None:
    """A good trail of everything, and a regional one that was switched off and forgotten."""
    bucket = f"{account.prefix}-cloudtrail-logs"
    recorded = (
        "ehr-documents", "imaging-archive", "claims-exports", "research-dropbox", "dr-copies", "retention-vault",
    )  # fmt: skip
    _good_trail(account, bucket, *(f"arn:aws:s3:::{account.prefix}-{name}/" for name in recorded))
    account.client("cloudtrail", account.secondary).create_trail(
        Name=f"{account.prefix}-regional",
        S3BucketName=bucket,
        IsMultiRegionTrail=False,
        EnableLogFileValidation=True,
    )


def seed_northwind_trails(account: Account) -> None:
    _good_trail(account, f"{account.prefix}-audit", "arn:aws:s3")


def _calls(*names: str) -> str:
    return "{ " + " || ".join(f"($.eventName = {name})" for name in names) + " }"


# The patterns of the CIS AWS Foundations Benchmark, chapter "Monitoring".
_PATTERNS = {
    "RootAccountUse": '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && '
    '$.eventType != "AwsServiceEvent" }',
    "UnauthorizedCalls": '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
    "SignInFailures": '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }',
    "SignInWithoutMfa": '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && '
    '($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }',
    "TrailChanges": _calls("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"),
    "KeyDeletions": _calls("DisableKey", "ScheduleKeyDeletion"),
    "ConfigChanges": _calls(
        "StopConfigurationRecorder", "DeleteDeliveryChannel", "PutDeliveryChannel", "PutConfigurationRecorder"
    ),
    "PolicyChanges": _calls(
        *(
            f"{act}{holder}Policy"
            for holder in ("Group", "Role", "User")
            for act in ("Put", "Delete", "Attach", "Detach")
        ),
        *("CreatePolicy", "DeletePolicy", "CreatePolicyVersion", "DeletePolicyVersion"),
    ),
    "BucketPolicyChanges": _calls(
        "PutBucketAcl", "PutBucketPolicy", "PutBucketCors", "PutBucketLifecycle", "PutBucketReplication",
        "DeleteBucketPolicy", "DeleteBucketCors", "DeleteBucketLifecycle", "DeleteBucketReplication",
    ),
    "SecurityGroupChanges": _calls(
        *(f"{act}SecurityGroup{way}" for act in ("Authorize", "Revoke") for way in ("Ingress", "Egress")),
        *("CreateSecurityGroup", "DeleteSecurityGroup"),
    ),
}  # fmt: skip


def _alarm_on(account: Account, names: Iterable[str], *, filters: Iterable[str]) -> None:
    """A metric filter for each of ``filters``, and for ``names`` an alarm that tells the security topic."""
    topic = account.arn("sns", f"{account.prefix}-security")
    for name in filters:
        _metric_filter(account, name, _PATTERNS[name])
    for name in names:
        _alarm(account, name, [topic])


def seed_mercy_alarms(account: Account) -> None:
    """Half of the usual alarms; who stops the trail is filtered out of the log, and then nobody is told."""
    alarmed = ("RootAccountUse", "UnauthorizedCalls", "SignInFailures", "SignInWithoutMfa", "PolicyChanges")
    _alarm_on(account, alarmed, filters=(*alarmed, "TrailChanges"))


def seed_northwind_alarms(account: Account) -> None:
    _alarm_on(account, _PATTERNS, filters=_PATTERNS)


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


def _recorder(account: Account, region: str, bucket: str, *, running: bool = True) -> None:
    config = account.client("config", region)
    group = {"allSupported": True, "includeGlobalResourceTypes": region == account.primary}
    recorder = {"name": "default", "roleARN": account.recall("role:config"), "recordingGroup": group}
    config.put_configuration_recorder(ConfigurationRecorder=recorder)
    if running:
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": bucket})
        config.start_configuration_recorder(ConfigurationRecorderName="default")


def _rules(account: Account) -> None:
    """Rules of AWS Config in the primary region, with what they found."""
    results = {
        "encrypted-volumes": _volumes(account),
        "cloud-trail-enabled": [_complies("AWS::::Account", account.account_id)],
        "root-account-mfa-enabled": [_complies("AWS::::Account", account.account_id)],
    }
    config = account.client("config")
    for name in results:
        source = {"Owner": "AWS", "SourceIdentifier": name.upper().replace("-", "_")}
        config.put_config_rule(ConfigRule={"ConfigRuleName": name, "Source": source})
    account.aws.set_setting(
        "config_rule_results", results, account=account.account_id, region=account.primary
    )


def _complies(kind: str, identifier: str, *, does: bool = True) -> dict[str, str]:
    return {"type": kind, "id": identifier, "compliance": "COMPLIANT" if does else "NON_COMPLIANT"}


def _volumes(account: Account) -> list[dict[str, str]]:
    found = account.client("ec2").describe_volumes()["Volumes"]
    return [_complies("AWS::EC2::Volume", each["VolumeId"], does=each["Encrypted"]) for each in found]


def seed_mercy_config(account: Account) -> None:
    """Recording in the primary region; in the secondary one begun and never switched on."""
    bucket = f"{account.prefix}-cloudtrail-logs"
    _recorder(account, account.primary, bucket)
    _recorder(account, account.secondary, bucket, running=False)
    _rules(account)


def seed_northwind_config(account: Account) -> None:
    for region in account.regions:
        _recorder(account, region, f"{account.prefix}-audit")
    _rules(account)

"""Answers to operations that moto lacks, from moto's resources and from what was set through the API.

Setting read here, by account and region: ``config_rule_results``, a mapping of rule name to a list of
``{"type": "AWS::S3::Bucket", "id": "...", "compliance": "NON_COMPLIANT", "annotation": "..."}``, and
``config_delivery``, ``{"status": "FAILURE", "code": "...", "message": "..."}`` (default: SUCCESS while a
recorder records).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.config.models import ConfigBackend, config_backends
from moto.kms.models import kms_backends

from portal.demo.aws.state import StandInState
from portal.demo.aws.wire import AwsError, Call

Answer = Callable[[Call, str, StandInState], dict[str, Any]]

ANSWERS: dict[str, Answer] = {}


def answers(name: str) -> Callable[[Answer], Answer]:
    """Register the answer to ``service:Operation`` (botocore's names)."""

    def register(function: Answer) -> Answer:
        ANSWERS[name] = function
        return function

    return register


# EC2: settings of an account in a region. Their setters are AWS's own operations.


def _key_arn(call: Call, account_id: str, key_id: str) -> str:
    if key_id.startswith(("arn:", "alias/")):
        return key_id
    key = kms_backends[account_id][call.region].keys.get(key_id)
    if key is None:
        raise AwsError(400, "InvalidParameterValue", f"KMS key {key_id} does not exist")
    return str(key.arn)


@answers("ec2:GetEbsDefaultKmsKeyId")
def _get_ebs_key(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    return {"KmsKeyId": state.setting(account_id, call.region, "ebs_default_kms_key", "alias/aws/ebs")}


@answers("ec2:ModifyEbsDefaultKmsKeyId")
def _set_ebs_key(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    arn = _key_arn(call, account_id, call.params["KmsKeyId"])
    state.set_setting(account_id, call.region, "ebs_default_kms_key", arn)
    return {"KmsKeyId": arn}


@answers("ec2:ResetEbsDefaultKmsKeyId")
def _reset_ebs_key(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    state.drop_setting(account_id, call.region, "ebs_default_kms_key")
    return _get_ebs_key(call, account_id, state)


@answers("ec2:GetSnapshotBlockPublicAccessState")
def _get_snapshot_block(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    found = state.setting(account_id, call.region, "snapshot_block", "unblocked")
    return {"State": found, "ManagedBy": "account"}


@answers("ec2:EnableSnapshotBlockPublicAccess")
def _enable_snapshot_block(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    state.set_setting(account_id, call.region, "snapshot_block", call.params["State"])
    return {"State": call.params["State"]}


@answers("ec2:DisableSnapshotBlockPublicAccess")
def _disable_snapshot_block(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    state.drop_setting(account_id, call.region, "snapshot_block")
    return {"State": "unblocked"}


@answers("ec2:GetImageBlockPublicAccessState")
def _get_image_block(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    found = state.setting(account_id, call.region, "image_block", "unblocked")
    return {"ImageBlockPublicAccessState": found, "ManagedBy": "account"}


@answers("ec2:EnableImageBlockPublicAccess")
def _enable_image_block(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    wanted = call.params["ImageBlockPublicAccessState"]
    state.set_setting(account_id, call.region, "image_block", wanted)
    return {"ImageBlockPublicAccessState": wanted}


@answers("ec2:DisableImageBlockPublicAccess")
def _disable_image_block(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    state.drop_setting(account_id, call.region, "image_block")
    return {"ImageBlockPublicAccessState": "unblocked"}


@answers("ec2:GetInstanceMetadataDefaults")
def _get_metadata_defaults(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    return {"AccountLevel": state.setting(account_id, call.region, "metadata_defaults", {})}


@answers("ec2:ModifyInstanceMetadataDefaults")
def _set_metadata_defaults(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    known = dict(state.setting(account_id, call.region, "metadata_defaults", {}))
    for name in ("HttpTokens", "HttpEndpoint", "InstanceMetadataTags", "HttpPutResponseHopLimit"):
        value = call.params.get(name)
        if value in ("no-preference", -1):
            known.pop(name, None)
        elif value is not None:
            known[name] = value
    known["ManagedBy"] = "account"
    state.set_setting(account_id, call.region, "metadata_defaults", known)
    return {"Return": True}


# AWS Config: deliveries, and what its rules found.


def _config(call: Call, account_id: str) -> ConfigBackend:
    backend: ConfigBackend = config_backends[account_id][call.region]
    return backend


def _delivery(status: dict[str, Any], *, next_in: timedelta | None) -> dict[str, Any]:
    now = datetime.now(UTC)
    delivery: dict[str, Any] = {"lastStatus": status["status"], "lastAttemptTime": now}
    if status["status"] == "SUCCESS":
        delivery["lastSuccessfulTime"] = now
    else:
        delivery["lastErrorCode"] = status.get("code", "")
        delivery["lastErrorMessage"] = status.get("message", "")
    if next_in is not None:
        delivery["nextDeliveryTime"] = now + next_in
    return delivery


@answers("config:DescribeDeliveryChannelStatus")
def _delivery_channel_status(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    backend = _config(call, account_id)
    wanted = call.params.get("DeliveryChannelNames") or list(backend.delivery_channels)
    for name in wanted:
        if name not in backend.delivery_channels:
            message = f"Cannot find delivery channel with specified name '{name}'."
            raise AwsError(400, "NoSuchDeliveryChannelException", message)
    recording = any(recorder.status.recording for recorder in backend.recorders.values())
    default = {"status": "SUCCESS" if recording else "Not_Applicable"}
    status = state.setting(account_id, call.region, "config_delivery", default)
    return {"DeliveryChannelsStatus": [_channel_status(name, status) for name in wanted]}


def _channel_status(name: str, status: dict[str, Any]) -> dict[str, Any]:
    if status["status"] == "Not_Applicable":
        idle = {"lastStatus": "Not_Applicable"}
        return {"name": name, "configHistoryDeliveryInfo": idle, "configSnapshotDeliveryInfo": idle}
    stream = {"lastStatus": status["status"], "lastStatusChangeTime": datetime.now(UTC)}
    return {
        "name": name,
        "configHistoryDeliveryInfo": _delivery(status, next_in=None),
        "configSnapshotDeliveryInfo": _delivery(status, next_in=timedelta(hours=24)),
        "configStreamDeliveryInfo": stream,
    }


def _rule_results(call: Call, account_id: str, state: StandInState, rule: str) -> list[dict[str, Any]]:
    results: dict[str, list[dict[str, Any]]] = state.setting(
        account_id, call.region, "config_rule_results", {}
    )
    return results.get(rule, [])


def _check_rules(backend: ConfigBackend, names: Iterable[str]) -> None:
    for name in names:
        if name not in backend.config_rules:
            message = f"The ConfigRule '{name}' provided in the request is invalid. Please check the configRule name."
            raise AwsError(400, "NoSuchConfigRuleException", message)


def _rule_compliance(results: list[dict[str, Any]]) -> dict[str, Any]:
    failing = sum(each["compliance"] == "NON_COMPLIANT" for each in results)
    if failing:
        count = {"CappedCount": min(failing, 25), "CapExceeded": failing > 25}
        return {"ComplianceType": "NON_COMPLIANT", "ComplianceContributorCount": count}
    return {"ComplianceType": "COMPLIANT" if results else "INSUFFICIENT_DATA"}


@answers("config:DescribeComplianceByConfigRule")
def _compliance_by_rule(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    backend = _config(call, account_id)
    names = call.params.get("ConfigRuleNames") or list(backend.config_rules)
    _check_rules(backend, names)
    found = [
        {
            "ConfigRuleName": name,
            "Compliance": _rule_compliance(_rule_results(call, account_id, state, name)),
        }
        for name in names
    ]
    types = call.params.get("ComplianceTypes")
    chosen = [each for each in found if not types or each["Compliance"]["ComplianceType"] in types]
    return {"ComplianceByConfigRules": chosen}


@answers("config:GetComplianceDetailsByConfigRule")
def _compliance_details(call: Call, account_id: str, state: StandInState) -> dict[str, Any]:
    rule = call.params["ConfigRuleName"]
    _check_rules(_config(call, account_id), [rule])
    types = call.params.get("ComplianceTypes")
    now = datetime.now(UTC)
    evaluated = []
    for each in _rule_results(call, account_id, state, rule):
        if types and each["compliance"] not in types:
            continue
        qualifier = {"ConfigRuleName": rule, "ResourceType": each["type"], "ResourceId": each["id"]}
        evaluated.append(
            {
                "EvaluationResultIdentifier": {
                    "EvaluationResultQualifier": qualifier,
                    "OrderingTimestamp": now,
                },
                "ComplianceType": each["compliance"],
                "Annotation": each.get("annotation"),
                "ResultRecordedTime": now,
                "ConfigRuleInvokedTime": now,
            }
        )
    return {"EvaluationResults": evaluated}


# Lists that are empty in an account that does not use the feature. Whoever uses it sets the answer.


def _empty(*members: str) -> Answer:
    def answer(_call: Call, _account_id: str, _state: StandInState) -> dict[str, Any]:
        return {member: [] for member in members}

    return answer


ANSWERS.update(
    {
        "accessanalyzer:ListAnalyzers": _empty("analyzers"),
        "artifact:ListCustomerAgreements": _empty("customerAgreements"),
        "backup:ListBackupJobs": _empty("BackupJobs"),
        "backup:ListBackupSelections": _empty("BackupSelectionsList"),
        "backup:ListProtectedResources": _empty("Results"),
        "backup:ListRecoveryPointsByBackupVault": _empty("RecoveryPoints"),
        "cloudtrail:ListPublicKeys": _empty("PublicKeyList"),
        "cloudtrail:LookupEvents": _empty("Events"),
        "config:DescribeConformancePacks": _empty("ConformancePackDetails"),
        "guardduty:ListFindings": _empty("FindingIds"),
        "inspector2:ListCoverage": _empty("coveredResources"),
        "ssm:DescribeInstancePatchStates": _empty("InstancePatchStates"),
        "ssm:ListComplianceItems": _empty("ComplianceItems"),
        "ssm:ListResourceComplianceSummaries": _empty("ResourceComplianceSummaryItems"),
    }
)

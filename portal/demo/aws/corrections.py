"""Where moto 5.2.5 answers otherwise than AWS, put right in moto's own classes.

Each correction says what AWS does. They are installed once, before the first request.

Settings read here (account-wide): ``root_mfa`` (bool, default True), ``root_access_keys`` (int, default 0),
``root_last_used_days`` (float or None: never, the default).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import copy
from datetime import timedelta
from typing import Any

from moto.cloudtrail.models import CloudTrailBackend, Trail, TrailStatus
from moto.config.models import ConfigRecorderStatus
from moto.core.utils import unix_time, utcnow
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot
from moto.ec2.models.subnets import Subnet, SubnetBackend
from moto.ec2.models.vpcs import VPC, VPCBackend
from moto.iam.models import AccountSummary, IAMBackend, ManagedPolicy
from moto.kms import models as kms_models
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse
from moto.kms.utils import generate_private_key
from moto.moto_api._internal import mock_random
from moto.s3.models import FakeBucket, PublicAccessBlock, S3Backend
from moto.secretsmanager.models import SecretsManagerBackend

from portal.demo.aws.databases import install_database_corrections
from portal.demo.aws.state import StandInState

Original = Callable[..., Any]
_REPORT_DATE = "%Y-%m-%dT%H:%M:%S+00:00"
_ANNUAL_ROTATION_DAYS = 365
_SECONDS_A_DAY = 86400
_SYMMETRIC = ("SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512")
_installed: dict[str, StandInState] = {}


def _settings(account_id: str, key: str, default: Any) -> Any:
    return _installed["state"].setting(account_id, "", key, default)


def _wrap(owner: type, name: str, wrapper: Callable[[Original], Original]) -> None:
    setattr(owner, name, wrapper(getattr(owner, name)))


def _default_encryption() -> dict[str, Any]:
    return {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}}


def _bucket_defaults(original: Original) -> Original:
    """Since January 2023 every bucket has SSE-S3, since April 2023 every new one blocks public access."""

    def make(self: FakeBucket, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.encryption = _default_encryption()
        self.public_access_block = PublicAccessBlock(True, True, True, True)

    return make


def _encryption_falls_back(_original: Original) -> Original:
    """DeleteBucketEncryption resets a bucket to SSE-S3; none is ever without."""

    def delete_bucket_encryption(self: S3Backend, bucket_name: str) -> None:
        self.get_bucket(bucket_name).encryption = _default_encryption()

    return delete_bucket_encryption


def _root_row(account_id: str) -> str:
    days = _settings(account_id, "root_last_used_days", None)
    last_used = "no_information" if days is None else (utcnow() - timedelta(days=days)).strftime(_REPORT_DATE)
    created = "2017-03-14T15:09:26+00:00"
    keys = _settings(account_id, "root_access_keys", 0)
    mfa = "true" if _settings(account_id, "root_mfa", True) else "false"
    fields = ["<root_account>", f"arn:aws:iam::{account_id}:root", created]
    fields += ["not_supported", last_used, "not_supported", "not_supported", mfa]
    for number in (1, 2):
        fields += ["true" if keys >= number else "false", created if keys >= number else "N/A"]
        fields += ["N/A", "N/A", "N/A"]
    return ",".join([*fields, "false", "N/A", "false", "N/A"])


def _report_has_root(original: Original) -> Original:
    """The credential report's first row is the root user."""

    def get_credential_report(self: IAMBackend) -> str:
        head, _, rows = str(original(self)).partition("\n")
        return f"{head}\n{_root_row(self.account_id)}\n{rows}"

    return get_credential_report


def _summary_knows_root(original: property) -> property:
    """AccountMFAEnabled and AccountAccessKeysPresent speak of the root user."""

    def summary_map(self: AccountSummary) -> dict[str, Any]:
        assert original.fget is not None
        account_id = self._iam_backend.account_id
        summary: dict[str, Any] = original.fget(self)
        summary["AccountMFAEnabled"] = int(_settings(account_id, "root_mfa", True))
        summary["AccountAccessKeysPresent"] = _settings(account_id, "root_access_keys", 0)
        return summary

    return property(summary_map)


def _only_policies_in_use(original: Original) -> Original:
    """GetAccountAuthorizationDetails lists AWS's own policies only where the account uses them."""

    def get_account_authorization_details(self: IAMBackend, policy_filter: list[str]) -> dict[str, Any]:
        details: dict[str, Any] = original(self, policy_filter)
        details["managed_policies"] = [
            policy
            for policy in details["managed_policies"]
            if "::aws:policy/" not in policy.arn or policy.attachment_count
        ]
        return details

    return get_account_authorization_details


def _policies_of_aws_once(original: Original) -> Original:
    """Parse AWS's 1,500 policies once for all accounts, and leave the seeded generator of ids alone."""
    prototypes: list[ManagedPolicy] = []

    def _init_aws_policies(self: IAMBackend) -> list[ManagedPolicy]:
        if not prototypes:
            before = mock_random.getstate()
            mock_random.seed(0)
            prototypes.extend(original(self))
            mock_random.setstate(before)
        # Attachments are counted in each account's own copy; the documents are shared.
        return [copy(policy) for policy in prototypes]

    return _init_aws_policies


def _default_keys_are_of_aws(original: Original) -> Original:
    """A key behind ``alias/aws/...`` is managed by AWS and rotates each year."""

    def _generate_default_keys(self: KmsBackend, alias_name: str) -> str | None:
        key_id: str | None = original(self, alias_name)
        if key_id is not None:
            self.keys[key_id].key_manager = "AWS"
            self.enable_key_rotation(key_id)
        return key_id

    return _generate_default_keys


def _only_key_pairs_have_private_keys(original: Original) -> Original:
    """A symmetric key has no private half, whose making takes moto longer than all else that it does."""

    def generate_private_key(key_spec: str) -> Any:
        return None if key_spec in _SYMMETRIC else original(key_spec)

    return generate_private_key


def _rotation_keeps_period(original: Original) -> Original:
    """EnableKeyRotation takes a period in days, a year unless said."""

    def enable_key_rotation(self: Any) -> str:
        period = self._get_param("RotationPeriodInDays") or _ANNUAL_ROTATION_DAYS
        answer: str = original(self)
        backend = self.kms_backend
        backend.keys[backend.any_id_to_key_id(self._get_param("KeyId"))].rotation_days = period
        return answer

    return enable_key_rotation


def _rotation_tells_period(original: Original) -> Original:
    def get_key_rotation_status(self: Any) -> str:
        answer: dict[str, Any] = json.loads(original(self))
        if answer["KeyRotationEnabled"]:
            backend = self.kms_backend
            key = backend.keys[backend.any_id_to_key_id(self._get_param("KeyId"))]
            answer["RotationPeriodInDays"] = getattr(key, "rotation_days", _ANNUAL_ROTATION_DAYS)
        return json.dumps(answer)

    return get_key_rotation_status


def _trail_tells_selectors(original: Original) -> Original:
    """HasCustomEventSelectors and HasInsightSelectors follow what was put."""

    def description(self: Trail, *args: Any, **kwargs: Any) -> dict[str, Any]:
        described: dict[str, Any] = original(self, *args, **kwargs)
        described["HasCustomEventSelectors"] = bool(self.event_selectors or self.advanced_event_selectors)
        described["HasInsightSelectors"] = bool(self.insight_selectors)
        return described

    return description


def _status_knows_trail(original: Original) -> Original:
    def get_trail_status(self: CloudTrailBackend, name: str) -> TrailStatus:
        status: Any = original(self, name)
        trails = self.describe_trails(include_shadow_trails=True)
        status.trail = next(trail for trail in trails if trail.status is status)
        return status  # type: ignore[no-any-return]

    return get_trail_status


def _status_tells_deliveries(original: Original) -> Original:
    """A trail that validates also delivers digests, and one with a log group delivers to CloudWatch Logs."""

    def description(self: Any) -> dict[str, Any]:
        described: dict[str, Any] = original(self)
        if self.is_logging and self.trail.log_validation:
            described["LatestDigestDeliveryTime"] = described["LatestDeliveryTime"]
        if self.is_logging and self.trail.cw_log_group_arn:
            described["LatestCloudWatchLogsDeliveryTime"] = described["LatestDeliveryTime"]
        return described

    return description


def _recorder_succeeds(original: Original) -> Original:
    """A recorder stays PENDING for minutes at AWS; the stand-in does not make tests wait."""

    def start(self: ConfigRecorderStatus) -> None:
        original(self)
        self.last_status = "SUCCESS"
        self.last_status_change_time = int(unix_time())

    return start


def _default_encrypts(original: Original) -> Original:
    """Encryption by default encrypts every new volume."""

    def create_volume(self: Any, *args: Any, **kwargs: Any) -> Any:
        # The backend makes volumes while it is being made, before it has the attribute.
        if getattr(self, "ebs_encryption_by_default", False) and not kwargs.get("encrypted"):
            kwargs["encrypted"] = True
        return original(self, *args, **kwargs)

    return create_volume


def _snapshot_keeps_key(original: Original) -> Original:
    """A snapshot is encrypted under the key of its volume."""

    def create_snapshot(self: EBSBackend, *args: Any, **kwargs: Any) -> Snapshot:
        snapshot: Snapshot = original(self, *args, **kwargs)
        snapshot.kms_key_id = snapshot.volume.kms_key_id
        return snapshot

    return create_snapshot


def _only_default_subnets_are_default(original: Original) -> Original:
    """A subnet is its zone's default, and gives public addresses unasked, in the default VPC alone."""

    def create_subnet(self: SubnetBackend, vpc_id: str, *args: Any, **kwargs: Any) -> Subnet:
        subnet: Any = original(self, vpc_id, *args, **kwargs)
        vpc: Any = self.get_vpc(vpc_id)  # type: ignore[attr-defined]
        if vpc.is_default not in (True, "true"):
            subnet.default_for_az = subnet.map_public_ip_on_launch = False
        return subnet  # type: ignore[no-any-return]

    return create_subnet


def _access_lists_go_with_vpc(original: Original) -> Original:
    def delete_vpc(self: Any, vpc_id: str) -> VPC:
        deleted: VPC = original(self, vpc_id)
        for each in list(self.network_acls.values()):
            if each.vpc_id == vpc_id:
                self.network_acls.pop(each.id)
        return deleted

    return delete_vpc


def _rotation_is_due_by_the_day(original: Original) -> Original:
    """NextRotationDate is the end of a day: the secret rotates at any time until then."""

    def rotate_secret(self: SecretsManagerBackend, secret_id: str, *args: Any, **kwargs: Any) -> str:
        answer: str = original(self, secret_id, *args, **kwargs)
        secret: Any = self.secrets[secret_id]
        if secret.next_rotation_date:
            secret.next_rotation_date += _SECONDS_A_DAY - 1 - secret.next_rotation_date % _SECONDS_A_DAY
        return answer

    return rotate_secret


def install_corrections(state: StandInState) -> None:
    """Correct moto in this process; ``state`` holds what the demonstration set. Safe to call again."""
    first = not _installed
    _installed["state"] = state
    if not first:
        return
    _wrap(FakeBucket, "__init__", _bucket_defaults)
    _wrap(S3Backend, "delete_bucket_encryption", _encryption_falls_back)
    _wrap(IAMBackend, "_init_aws_policies", _policies_of_aws_once)
    _wrap(IAMBackend, "get_credential_report", _report_has_root)
    _wrap(IAMBackend, "get_account_authorization_details", _only_policies_in_use)
    AccountSummary.summary_map = _summary_knows_root(AccountSummary.summary_map)  # type: ignore[method-assign,arg-type,assignment]
    # The serializer looks for these names; moto's policies have them as name and id only.
    ManagedPolicy.policy_name = property(lambda self: self.name)  # type: ignore[attr-defined]
    ManagedPolicy.policy_id = property(lambda self: self.id)  # type: ignore[attr-defined]
    _wrap(KmsBackend, "_generate_default_keys", _default_keys_are_of_aws)
    kms_models.generate_private_key = _only_key_pairs_have_private_keys(generate_private_key)  # type: ignore[attr-defined]
    _wrap(KmsResponse, "enable_key_rotation", _rotation_keeps_period)
    _wrap(KmsResponse, "get_key_rotation_status", _rotation_tells_period)
    _wrap(Trail, "description", _trail_tells_selectors)
    _wrap(CloudTrailBackend, "get_trail_status", _status_knows_trail)
    _wrap(TrailStatus, "description", _status_tells_deliveries)
    _wrap(ConfigRecorderStatus, "start", _recorder_succeeds)
    _wrap(EBSBackend, "create_volume", _default_encrypts)
    _wrap(EBSBackend, "create_snapshot", _snapshot_keeps_key)
    _wrap(SubnetBackend, "create_subnet", _only_default_subnets_are_default)
    _wrap(VPCBackend, "delete_vpc", _access_lists_go_with_vpc)
    _wrap(SecretsManagerBackend, "rotate_secret", _rotation_is_due_by_the_day)
    install_database_corrections(_wrap)

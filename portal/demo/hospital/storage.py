"""Buckets: locked down, public by mistake, and one whose TLS policy refuses nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

from portal.demo.hospital.account import OFFICE, PHI, Account, Tags, document, tag_list, tls_only
from portal.demo.hospital.identity import VENDOR_ACCOUNT_ID

_SEVEN_YEARS = 2557


class Bucket(NamedTuple):
    """``key`` is the word of a KMS key that is known in the bucket's region, or '' for AES256.

    ``locked_days`` is how long Object Lock keeps each new object, 0 for a bucket without it.
    """

    name: str
    tags: Tags | None
    key: str = ""
    versioned: bool = True
    locked_days: int = 0
    blocks_public: bool = True
    statements: tuple[dict[str, Any], ...] = ()


def _create(account: Account, bucket: Bucket, region: str) -> None:
    s3 = account.client("s3", region)
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket.name, ObjectLockEnabledForBucket=bool(bucket.locked_days), **where)
    if bucket.tags is not None:
        s3.put_bucket_tagging(Bucket=bucket.name, Tagging={"TagSet": tag_list(bucket.tags)})
    if bucket.key:
        _encrypt(account, bucket, region)
    if bucket.locked_days:
        _lock(s3, bucket)
    elif bucket.versioned:
        s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    if not bucket.blocks_public:
        s3.delete_public_access_block(Bucket=bucket.name)
    if bucket.statements:
        s3.put_bucket_policy(Bucket=bucket.name, Policy=document(*bucket.statements))


def _lock(s3: Any, bucket: Bucket) -> None:
    # Object Lock has turned versioning on.
    retention = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": bucket.locked_days}}
    s3.put_object_lock_configuration(
        Bucket=bucket.name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": retention}
    )


def _encrypt(account: Account, bucket: Bucket, region: str) -> None:
    default = {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": account.recall(f"key:{bucket.key}", region),
    }
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    account.client("s3", region).put_bucket_encryption(
        Bucket=bucket.name, ServerSideEncryptionConfiguration={"Rules": [rule]}
    )


def _protect_versions(account: Account, bucket: str) -> None:
    # Only root with its second factor may ask for this, which moto knows nothing of.
    state = {"Status": "Enabled", "MFADelete": "Enabled"}
    account.aws.answer("s3:GetBucketVersioning", state, account=account.account_id, when={"Bucket": bucket})


def _log(account: Account, bucket: str, target: str) -> None:
    account.client("s3").put_bucket_logging(
        Bucket=bucket,
        BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": f"{bucket}/"}},
    )


def _service_may_write(service: str, bucket: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": ["s3:GetBucketAcl", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }


def _access_logs_arrive(bucket: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }


def _tls_trap(account: Account, bucket: str) -> dict[str, Any]:
    # Allows the account over TLS, which it was allowed anyhow; refuses nobody over plain HTTP.
    return {
        "Sid": "EnforceTLS",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account.account_id}:root"},
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "true"}},
    }


def _anybody_reads(bucket: str) -> dict[str, Any]:
    resource = f"arn:aws:s3:::{bucket}/*"
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}


def _vendor_writes(bucket: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{VENDOR_ACCOUNT_ID}:root"},
        "Action": ["s3:PutObject", "s3:GetObject"],
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }


def _trail_policy(bucket: str) -> tuple[dict[str, Any], ...]:
    return (
        tls_only(bucket),
        _service_may_write("cloudtrail", bucket),
        _service_may_write("config", bucket),
    )


def seed_mercy_buckets(account: Account) -> None:
    """The log buckets come first: trails and access logs need them."""
    name = f"{account.prefix}-{{}}".format
    logs, trail = name("access-logs"), name("cloudtrail-logs")
    ehr, imaging, research = name("ehr-documents"), name("imaging-archive"), name("research-dropbox")
    assets, claims, vault = name("patient-portal-assets"), name("claims-exports"), name("retention-vault")
    copies = name("dr-copies")
    for bucket in (
        Bucket(logs, OFFICE, statements=(_access_logs_arrive(logs), tls_only(logs))),
        Bucket(trail, OFFICE, "audit-logs", locked_days=_SEVEN_YEARS, statements=_trail_policy(trail)),
        Bucket(ehr, PHI, "ehr-data", statements=(tls_only(ehr),)),
        Bucket(imaging, PHI, "imaging", statements=(_tls_trap(account, imaging),)),
        Bucket(assets, OFFICE, blocks_public=False, statements=(_anybody_reads(assets),)),
        Bucket(claims, PHI, "ehr-data", statements=(tls_only(claims),)),
        Bucket(research, PHI, "ehr-data", statements=(_vendor_writes(research), tls_only(research))),
        Bucket(vault, PHI, "ehr-data", locked_days=_SEVEN_YEARS, statements=(tls_only(vault),)),
        # Neither name nor tag says what is inside: the portal must not conclude that nothing is.
        Bucket(name("scratch-07"), None),
    ):
        _create(account, bucket, account.primary)
    _create(account, Bucket(copies, PHI, "dr-data", statements=(tls_only(copies),)), account.secondary)
    for each in (ehr, trail, assets):
        _log(account, each, logs)
    for each in (ehr, imaging, trail, vault, claims, copies):
        _protect_versions(account, each)


def seed_northwind_buckets(account: Account) -> None:
    """Each is versioned, encrypted under a key of Northwind's and closed to plain HTTP; the audit log is locked."""
    name = f"{account.prefix}-{{}}".format
    trail, studies, cache = name("audit"), name("dicom-studies"), name("reading-room-cache")
    replicas = name("study-replicas")
    for bucket in (
        Bucket(trail, OFFICE, "audit-logs", locked_days=_SEVEN_YEARS, statements=_trail_policy(trail)),
        Bucket(studies, PHI, "studies", statements=(tls_only(studies),)),
        Bucket(cache, PHI, statements=(tls_only(cache),)),
    ):
        _create(account, bucket, account.primary)
    _create(account, Bucket(replicas, PHI, "replicas", statements=(tls_only(replicas),)), account.secondary)
    for each in (trail, studies):
        _protect_versions(account, each)


def block_account(account: Account) -> None:
    """Block public access for the whole account, as Northwind does and Mercy Lakes does not."""
    account.client("s3control").put_public_access_block(
        AccountId=account.account_id,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )

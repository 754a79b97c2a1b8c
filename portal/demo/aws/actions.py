"""From an operation of botocore to the IAM action that permits it.

Source: Service Authorization Reference. Most actions bear the operation's name; the tables hold the others.
"""

from __future__ import annotations

# Signing name (credential scope) -> name of the service in botocore.
_SERVICE_BY_SIGNING_NAME = {
    "access-analyzer": "accessanalyzer",
    "aidevops": "devops-agent",
    "airflow": "mwaa",
    "elasticfilesystem": "efs",
    "elasticmapreduce": "emr",
    "email": "ses",
    "kinesisanalytics": "kinesisanalyticsv2",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}

# Name of the service in botocore -> prefix of its IAM actions.
_PREFIX_BY_SERVICE = {
    "accessanalyzer": "access-analyzer",
    "apigatewayv2": "apigateway",
    "cloudhsmv2": "cloudhsm",
    "docdb": "rds",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "emr": "elasticmapreduce",
    "mwaa": "airflow",
    "neptune": "rds",
    "opensearch": "es",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
    "sesv2": "ses",
    "stepfunctions": "states",
}

_ACTION_BY_OPERATION = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:AbortMultipartUpload": "s3:AbortMultipartUpload",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteBucketCors": "s3:PutBucketCORS",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketReplication": "s3:PutReplicationConfiguration",
    "s3:DeleteBucketTagging": "s3:PutBucketTagging",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketAnalyticsConfiguration": "s3:GetAnalyticsConfiguration",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketIntelligentTieringConfiguration": "s3:GetIntelligentTieringConfiguration",
    "s3:GetBucketInventoryConfiguration": "s3:GetInventoryConfiguration",
    "s3:GetBucketLifecycle": "s3:GetLifecycleConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketMetricsConfiguration": "s3:GetMetricsConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBucketAnalyticsConfigurations": "s3:GetAnalyticsConfiguration",
    "s3:ListBucketIntelligentTieringConfigurations": "s3:GetIntelligentTieringConfiguration",
    "s3:ListBucketInventoryConfigurations": "s3:GetInventoryConfiguration",
    "s3:ListBucketMetricsConfigurations": "s3:GetMetricsConfiguration",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:PutBucketCors": "s3:PutBucketCORS",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "s3:PutBucketReplication": "s3:PutReplicationConfiguration",
    "s3:PutObjectLockConfiguration": "s3:PutBucketObjectLockConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:UploadPart": "s3:PutObject",
    "s3control:DeletePublicAccessBlock": "s3:PutAccountPublicAccessBlock",
    "s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
    "s3control:PutPublicAccessBlock": "s3:PutAccountPublicAccessBlock",
}

# AWS answers these whatever the caller's policies say.
NEEDS_NO_PERMISSION = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})

GLOBAL_SERVICES = frozenset(
    {"account", "artifact", "budgets", "cloudfront", "health", "iam", "organizations", "route53", "shield"}
)


def service_of(signing_name: str, *, path: str, version: str, target: str) -> str:  # noqa: PLR0911 - one for each shared name
    """botocore's name of the service that a signed request addresses.

    Several services share one signing name: the path (s3control, opensearch), the API version in the
    body (elb, elbv2) or the X-Amz-Target (dynamodbstreams) tells them apart.
    """
    if signing_name == "s3" and path.startswith("/v20180820/"):
        return "s3control"
    if signing_name == "elasticloadbalancing":
        return "elb" if version == "2012-06-01" else "elbv2"
    if signing_name == "es":
        return "opensearch" if path.startswith("/2021-01-01/") else "es"
    if signing_name == "dynamodb" and target.startswith("DynamoDBStreams"):
        return "dynamodbstreams"
    if signing_name == "ses" and path.startswith("/v2/"):
        return "sesv2"
    if signing_name == "apigateway" and path.startswith("/v2/"):
        return "apigatewayv2"
    return _SERVICE_BY_SIGNING_NAME.get(signing_name, signing_name)


def iam_action(service: str, operation: str, *, method: str = "POST") -> str:
    """The IAM action for an operation, e.g. ``s3``, ``ListBuckets`` -> ``s3:ListAllMyBuckets``."""
    if service in ("apigateway", "apigatewayv2"):
        return f"apigateway:{method}"
    name = f"{service}:{operation}"
    prefix = _PREFIX_BY_SERVICE.get(service, service)
    return _ACTION_BY_OPERATION.get(name, f"{prefix}:{operation}")

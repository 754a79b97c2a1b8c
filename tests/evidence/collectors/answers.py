"""One answer for every operation that collectors call, with enough in it that every operation is called."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.evidence.fake_aws import ACCOUNT, Answer, client_error

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"
SECRET = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:database-AbCdEf"

KEYS: dict[str, dict[str, Any]] = {
    "customer": {"KeyManager": "CUSTOMER", "Origin": "AWS_KMS", "KeyState": "Enabled"},
    "amazon": {"KeyManager": "AWS", "Origin": "AWS_KMS", "KeyState": "Enabled"},
    "leaving": {"KeyManager": "CUSTOMER", "Origin": "AWS_KMS", "KeyState": "PendingDeletion"},
    "imported": {"KeyManager": "CUSTOMER", "Origin": "EXTERNAL", "KeyState": "Enabled"},
    "signing": {"KeyManager": "CUSTOMER", "Origin": "AWS_KMS", "KeyState": "Enabled", "KeySpec": "RSA_2048"},
    "resting": {"KeyManager": "CUSTOMER", "Origin": "AWS_KMS", "KeyState": "Disabled"},
}


def _key(KeyId: str) -> Mapping[str, Any]:  # noqa: N803  AWS's name
    return {
        "KeyMetadata": {"KeyId": KeyId, "KeySpec": "SYMMETRIC_DEFAULT", "CreationDate": NOW, **KEYS[KeyId]}
    }


_NOTHING: dict[str, Any] = {}

ANSWERS: dict[str, Answer] = {
    "sts:GetCallerIdentity": {
        "UserId": "A",
        "Account": ACCOUNT,
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/R/s",
    },
    "iam:ListAccountAliases": {"AccountAliases": ["hospital"], "IsTruncated": False},
    "ec2:DescribeRegions": {"Regions": [{"RegionName": "us-east-1", "OptInStatus": "opt-in-not-required"}]},
    "account:GetAlternateContact": client_error("ResourceNotFoundException"),
    "iam:GetAccountSummary": {"SummaryMap": {"AccountMFAEnabled": 1}},
    "iam:GenerateCredentialReport": {"State": "COMPLETE"},
    "iam:GetCredentialReport": {
        "Content": b"user,arn\nroot,x\n",
        "ReportFormat": "text/csv",
        "GeneratedTime": NOW,
    },
    "iam:GetAccountPasswordPolicy": client_error("NoSuchEntity"),
    "iam:GetAccountAuthorizationDetails": {
        "UserDetailList": [{"UserName": "ana"}],
        "GroupDetailList": [],
        "RoleDetailList": [{"RoleName": "R"}],
        "Policies": [],
        "IsTruncated": False,
    },
    "iam:ListVirtualMFADevices": {
        "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::222222222222:mfa/ana"}],
        "IsTruncated": False,
    },
    "iam:ListSAMLProviders": {"SAMLProviderList": []},
    "cloudtrail:DescribeTrails": {"trailList": [{"Name": "main", "TrailARN": TRAIL}]},
    "cloudtrail:GetTrailStatus": {"IsLogging": True, "LatestDeliveryTime": NOW},
    "cloudtrail:GetEventSelectors": {"TrailARN": TRAIL, "EventSelectors": []},
    "config:DescribeConfigurationRecorders": {"ConfigurationRecorders": []},
    "config:DescribeConfigurationRecorderStatus": {"ConfigurationRecordersStatus": []},
    "config:DescribeDeliveryChannels": {"DeliveryChannels": []},
    "config:DescribeDeliveryChannelStatus": {"DeliveryChannelsStatus": []},
    "config:DescribeConfigRules": {"ConfigRules": []},
    "config:DescribeComplianceByConfigRule": {"ComplianceByConfigRules": []},
    "kms:ListKeys": {"Keys": [{"KeyId": name} for name in KEYS], "Truncated": False},
    "kms:ListAliases": {
        "Aliases": [{"AliasName": "alias/main", "TargetKeyId": "customer"}],
        "Truncated": False,
    },
    "kms:DescribeKey": _key,
    "kms:GetKeyRotationStatus": {"KeyRotationEnabled": True},
    "kms:GetKeyPolicy": {"Policy": "{}"},
    "s3:ListBuckets": {
        "Buckets": [
            {"Name": "scans", "CreationDate": NOW, "BucketRegion": "eu-west-1"},
            {"Name": "old", "CreationDate": NOW},
        ]
    },
    "s3:GetBucketLocation": {"LocationConstraint": "EU"},
    "s3:GetBucketEncryption": client_error("ServerSideEncryptionConfigurationNotFoundError"),
    "s3:GetPublicAccessBlock": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
    "s3:GetBucketPolicy": {"Policy": "{}"},
    "s3:GetBucketAcl": {"Grants": []},
    "s3:GetBucketVersioning": {"Status": "Enabled"},
    "s3:GetBucketLogging": _NOTHING,
    "s3:GetObjectLockConfiguration": client_error("ObjectLockConfigurationNotFoundError"),
    "s3:GetBucketLifecycleConfiguration": client_error("NoSuchLifecycleConfiguration"),
    "s3control:GetPublicAccessBlock": client_error("NoSuchPublicAccessBlockConfiguration"),
    "ec2:DescribeInstances": {"Reservations": [{"ReservationId": "r-1"}]},
    "ec2:DescribeVolumes": {"Volumes": [{"VolumeId": "vol-1", "Encrypted": False}]},
    "ec2:DescribeSnapshots": {"Snapshots": [{"SnapshotId": "snap-1"}, {"SnapshotId": "snap-2"}]},
    "ec2:DescribeSnapshotAttribute": {"CreateVolumePermissions": []},
    "ec2:DescribeImages": {"Images": []},
    "ec2:GetEbsEncryptionByDefault": {"EbsEncryptionByDefault": True},
    "ec2:GetEbsDefaultKmsKeyId": {"KmsKeyId": "alias/aws/ebs"},
    "ec2:GetSnapshotBlockPublicAccessState": {"State": "unblocked"},
    "ec2:GetInstanceMetadataDefaults": {"AccountLevel": {"HttpTokens": "required"}},
    "ec2:DescribeVpcs": {"Vpcs": [{"VpcId": "vpc-1"}]},
    "ec2:DescribeSubnets": {"Subnets": []},
    "ec2:DescribeRouteTables": {"RouteTables": []},
    "ec2:DescribeSecurityGroups": {"SecurityGroups": []},
    "ec2:DescribeNetworkAcls": {"NetworkAcls": []},
    "ec2:DescribeFlowLogs": {"FlowLogs": []},
    "ec2:DescribeVpcEndpoints": {"VpcEndpoints": []},
    "ec2:DescribeNatGateways": {"NatGateways": []},
    "ec2:DescribeVpcPeeringConnections": {"VpcPeeringConnections": []},
    "rds:DescribeDBInstances": {
        "DBInstances": [
            {
                "DBInstanceIdentifier": "records",
                "DBParameterGroups": [{"DBParameterGroupName": "strict"}],
                "PendingModifiedValues": {"MasterUserPassword": "hunter2", "Port": 5433},
            },
            {
                "DBInstanceIdentifier": "member",
                "DBClusterIdentifier": "cluster",
                "DBParameterGroups": [{"DBParameterGroupName": "of-a-member"}],
            },
        ]
    },
    "rds:DescribeDBClusters": {
        "DBClusters": [{"DBClusterIdentifier": "cluster", "DBClusterParameterGroup": "strict-cluster"}]
    },
    "rds:DescribeDBSnapshots": {
        "DBSnapshots": [
            {"DBSnapshotIdentifier": "by-hand", "SnapshotType": "manual"},
            {"DBSnapshotIdentifier": "rds:nightly", "SnapshotType": "automated"},
        ]
    },
    "rds:DescribeDBClusterSnapshots": {
        "DBClusterSnapshots": [{"DBClusterSnapshotIdentifier": "by-hand", "SnapshotType": "manual"}]
    },
    "rds:DescribeDBSnapshotAttributes": {"DBSnapshotAttributesResult": {"DBSnapshotAttributes": []}},
    "rds:DescribeDBClusterSnapshotAttributes": {
        "DBClusterSnapshotAttributesResult": {"DBClusterSnapshotAttributes": []}
    },
    "rds:DescribeDBParameters": {"Parameters": [{"ParameterName": "rds.force_ssl", "ParameterValue": "1"}]},
    "rds:DescribeDBClusterParameters": {"Parameters": []},
    "rds:DescribeOptionGroups": {"OptionGroupsList": []},
    "rds:DescribeDBSubnetGroups": {"DBSubnetGroups": []},
    "secretsmanager:ListSecrets": {"SecretList": [{"ARN": SECRET, "Name": "database"}]},
    "secretsmanager:GetResourcePolicy": {"ARN": SECRET, "Name": "database"},
    "logs:DescribeLogGroups": {"logGroups": [{"logGroupName": "/app", "storedBytes": 2**53 + 1}]},
    "logs:DescribeMetricFilters": {"metricFilters": []},
    "cloudwatch:DescribeAlarms": {"MetricAlarms": [{"AlarmName": "root"}], "CompositeAlarms": []},
}

"""What a session may read: the role's policies, the session's, the organisation's; refused in each wire format."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from portal.demo.aws import AwsStandIn
from tests.standin.conftest import CUSTOMER, MakeRole, assume, document, trust

# One operation of each protocol: service, method, arguments, IAM action, code and status of AWS's refusal.
REFUSALS = [
    ("iam", "list_users", {}, "iam:ListUsers", "AccessDenied", 403),
    ("rds", "describe_db_instances", {}, "rds:DescribeDBInstances", "AccessDenied", 403),
    ("sns", "list_topics", {}, "sns:ListTopics", "AuthorizationError", 403),
    (
        "elbv2",
        "describe_load_balancers",
        {},
        "elasticloadbalancing:DescribeLoadBalancers",
        "AccessDenied",
        403,
    ),
    ("ec2", "describe_volumes", {}, "ec2:DescribeVolumes", "UnauthorizedOperation", 403),
    ("s3", "list_buckets", {}, "s3:ListAllMyBuckets", "AccessDenied", 403),
    ("s3", "get_bucket_encryption", {"Bucket": "b"}, "s3:GetEncryptionConfiguration", "AccessDenied", 403),
    ("s3", "get_public_access_block", {"Bucket": "b"}, "s3:GetBucketPublicAccessBlock", "AccessDenied", 403),
    (
        "s3",
        "get_object_lock_configuration",
        {"Bucket": "b"},
        "s3:GetBucketObjectLockConfiguration",
        "AccessDenied",
        403,
    ),
    (
        "s3control",
        "get_public_access_block",
        {"AccountId": CUSTOMER},
        "s3:GetAccountPublicAccessBlock",
        "AccessDenied",
        403,
    ),
    ("kms", "list_keys", {}, "kms:ListKeys", "AccessDeniedException", 400),
    ("config", "describe_config_rules", {}, "config:DescribeConfigRules", "AccessDeniedException", 400),
    ("dynamodb", "list_tables", {}, "dynamodb:ListTables", "AccessDeniedException", 400),
    ("cloudwatch", "describe_alarms", {}, "cloudwatch:DescribeAlarms", "AccessDenied", 403),
    ("sqs", "list_queues", {}, "sqs:ListQueues", "AccessDenied", 403),
    ("lambda", "list_functions", {}, "lambda:ListFunctions", "AccessDeniedException", 403),
    ("backup", "list_backup_vaults", {}, "backup:ListBackupVaults", "AccessDeniedException", 403),
    (
        "efs",
        "describe_file_systems",
        {},
        "elasticfilesystem:DescribeFileSystems",
        "AccessDeniedException",
        403,
    ),
    ("accessanalyzer", "list_analyzers", {}, "access-analyzer:ListAnalyzers", "AccessDeniedException", 403),
    ("cloudfront", "list_distributions", {}, "cloudfront:ListDistributions", "AccessDenied", 403),
    ("health", "describe_events", {}, "health:DescribeEvents", "AccessDeniedException", 400),
]


def refused(client: Any, method: str, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        getattr(client, method)(**arguments)
    return dict(caught.value.response)


@pytest.mark.parametrize(
    ("service", "method", "arguments", "action", "code", "status"),
    REFUSALS,
    ids=[each[3] for each in REFUSALS],
)
def test_a_call_without_permission_is_refused_in_the_words_of_its_service(
    aws: AwsStandIn,
    make_role: MakeRole,
    *,
    service: str,
    method: str,
    arguments: dict[str, Any],
    action: str,
    code: str,
    status: int,
) -> None:
    session = assume(aws, make_role(trust(), allows="sts:*"))
    answer = refused(aws.client(service, **session), method, **arguments)
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert answer["Error"]["Message"].endswith(f"because no identity-based policy allows the {action} action")


@pytest.mark.parametrize(
    ("service", "method", "action"),
    [
        (each[0], each[1], each[3])
        for each in REFUSALS
        if not each[2] and each[0] not in ("health", "cloudfront")
    ],
)
def test_the_iam_action_alone_permits_the_call(
    aws: AwsStandIn, make_role: MakeRole, service: str, method: str, action: str
) -> None:
    session = assume(aws, make_role(trust(), allows=action))
    assert getattr(aws.client(service, **session), method)()


def test_a_head_request_is_refused_with_a_bare_403(aws: AwsStandIn, make_role: MakeRole) -> None:
    session = assume(aws, make_role(trust(), allows="sts:*"))
    assert refused(aws.client("s3", **session), "head_bucket", Bucket="b")["Error"]["Code"] == "403"


def test_a_wildcard_permits_and_a_deny_beside_it_refuses(aws: AwsStandIn, make_role: MakeRole) -> None:
    deny = {"Effect": "Deny", "Action": "ec2:DescribeVolumes", "Resource": "*"}
    ec2 = aws.client("ec2", **assume(aws, make_role(trust(), allows="ec2:Describe*", statements=[deny])))
    assert ec2.describe_vpcs()["Vpcs"]
    answer = refused(ec2, "describe_volumes")
    assert answer["Error"]["Message"].endswith("with an explicit deny in an identity-based policy")


def test_not_action_permits_everything_else(aws: AwsStandIn, make_role: MakeRole) -> None:
    other = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    session = assume(aws, make_role(trust(), allows="sts:*", statements=[other]))
    assert aws.client("kms", **session).list_keys()["Keys"] == []
    assert refused(aws.client("iam", **session), "list_users")["Error"]["Code"] == "AccessDenied"


def test_a_statement_for_one_bucket_is_not_one_for_another(aws: AwsStandIn, make_role: MakeRole) -> None:
    admin = aws.admin("s3", CUSTOMER)
    for name in ("mine-001", "theirs-001"):
        admin.create_bucket(Bucket=name)
    one = {"Effect": "Allow", "Action": "s3:GetBucketVersioning", "Resource": "arn:aws:s3:::mine-*"}
    s3 = aws.client("s3", **assume(aws, make_role(trust(), allows="sts:*", statements=[one])))
    assert s3.get_bucket_versioning(Bucket="mine-001")
    message = refused(s3, "get_bucket_versioning", Bucket="theirs-001")["Error"]["Message"]
    assert "on resource: arn:aws:s3:::theirs-001" in message


def test_a_session_policy_narrows_and_never_widens(aws: AwsStandIn, make_role: MakeRole) -> None:
    role = make_role(trust(), allows=["kms:ListKeys", "iam:ListUsers"])
    policy = document({"Effect": "Allow", "Action": ["kms:*", "ec2:*"], "Resource": "*"})
    session = assume(aws, role, Policy=policy)
    assert aws.client("kms", **session).list_keys()["Keys"] == []
    narrowed = refused(aws.client("iam", **session), "list_users")["Error"]["Message"]
    assert narrowed.endswith("because no session policy allows the iam:ListUsers action")
    assert refused(aws.client("ec2", **session), "describe_vpcs")["Error"]["Code"] == "UnauthorizedOperation"


def test_an_organisation_that_denies_is_blamed(aws: AwsStandIn, make_role: MakeRole) -> None:
    session = assume(aws, make_role(trust()))
    deny = {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}
    aws.set_organisation_policy(CUSTOMER, {"Version": "2012-10-17", "Statement": [deny]})
    message = refused(aws.client("kms", **session), "list_keys")["Error"]["Message"]
    assert message.endswith("with an explicit deny in a service control policy")
    assert aws.client("iam", **session).list_users()["Users"] == []


def test_a_region_condition_of_the_organisation_shuts_one_region(
    aws: AwsStandIn, make_role: MakeRole
) -> None:
    session = assume(aws, make_role(trust()))
    elsewhere = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}},
    }
    aws.set_organisation_policy(CUSTOMER, {"Version": "2012-10-17", "Statement": [elsewhere]})
    assert aws.client("ec2", "us-east-1", **session).describe_vpcs()["Vpcs"]
    assert (
        refused(aws.client("ec2", "us-west-2", **session), "describe_vpcs")["Error"]["Code"]
        == "UnauthorizedOperation"
    )


def test_an_attached_policy_of_aws_permits(aws: AwsStandIn, make_role: MakeRole) -> None:
    role = make_role(trust(), allows="sts:*")
    session = assume(aws, role)
    assert refused(aws.client("ec2", **session), "describe_volumes")
    aws.admin("iam", CUSTOMER).attach_role_policy(
        RoleName="Reader", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit"
    )
    assert aws.client("ec2", **session).describe_volumes()["Volumes"] == []


def test_a_deleted_role_takes_its_sessions_with_it(aws: AwsStandIn, make_role: MakeRole) -> None:
    session = assume(aws, make_role(trust()))
    iam = aws.admin("iam", CUSTOMER)
    iam.delete_role_policy(RoleName="Reader", PolicyName="reads")
    iam.delete_role(RoleName="Reader")
    assert refused(aws.client("kms", **session), "list_keys")["Error"]["Code"] == "AccessDeniedException"


@pytest.mark.parametrize(
    ("service", "method", "code"),
    [
        ("ec2", "describe_volumes", "AuthFailure"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
        ("iam", "list_users", "InvalidClientTokenId"),
        ("kms", "list_keys", "UnrecognizedClientException"),
    ],
)
def test_an_unknown_key_is_refused(aws: AwsStandIn, service: str, method: str, code: str) -> None:
    client = aws.client(service, aws_access_key_id="AKIAUNKNOWN000000000", aws_secret_access_key="any")
    assert refused(client, method)["Error"]["Code"] == code


def test_a_stolen_key_without_its_session_token_is_refused(aws: AwsStandIn, make_role: MakeRole) -> None:
    session = assume(aws, make_role(trust()))
    session["aws_session_token"] = "another"
    assert (
        refused(aws.client("kms", **session), "list_keys")["Error"]["Code"] == "UnrecognizedClientException"
    )

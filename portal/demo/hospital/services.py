"""Functions, queues, load balancers, file systems, backups and AWS's own detectors."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta

from portal.demo.hospital.account import OFFICE, PHI, Account, tag_list

_WHEN = (2025, 1, 1, 0, 0, 0)


def _code() -> bytes:
    # A fixed time stamp, so that one seeding gives the same code hash as another.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            zipfile.ZipInfo("handler.py", _WHEN), "def handle(event, context):\n    return event\n"
        )
    return buffer.getvalue()


def seed_functions(account: Account) -> str:
    """Two Lambda functions; returns the ARN of the one that rotates secrets."""
    client = account.client("lambda")
    arns = []
    for name, key, tracing in (("rotate-secret", "ehr-data", "Active"), ("hl7-router", "", "PassThrough")):
        arns.append(
            client.create_function(
                FunctionName=name,
                Runtime="python3.12",
                Handler="handler.handle",
                Role=account.recall("role:lambda"),
                Code={"ZipFile": _code()},
                Environment={"Variables": {"DESTINATION": "ehr-app"}},
                TracingConfig={"Mode": tracing},
                Tags=dict(PHI),
                **({"KMSKeyArn": account.recall(f"key:{key}")} if key else {}),
            )["FunctionArn"]
        )
    return str(arns[0])


def seed_queues(account: Account) -> None:
    sqs = account.client("sqs")
    key = account.recall("key:ehr-data")
    sqs.create_queue(QueueName="hl7-inbound", Attributes={"KmsMasterKeyId": key})
    sqs.create_queue(QueueName="fax-outbound", Attributes={"SqsManagedSseEnabled": "false"})


def seed_file_systems(account: Account) -> None:
    efs = account.client("efs")
    efs.create_file_system(
        CreationToken="ehr-shared", Encrypted=True, KmsKeyId=account.recall("key:ehr-data"), Backup=True
    )
    efs.create_file_system(CreationToken="scanner-drop", Encrypted=False)


def _listener(account: Account, balancer: str, target: str, *, secure: bool) -> None:
    elb = account.client("elbv2")
    forward = [{"Type": "forward", "TargetGroupArn": target}]
    if not secure:
        elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)
        return
    certificate = account.client("acm").request_certificate(DomainName=f"portal.{account.prefix}.example.org")
    elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTPS",
        Port=443,
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        Certificates=[{"CertificateArn": certificate["CertificateArn"]}],
        DefaultActions=forward,
    )


def seed_load_balancers(account: Account) -> None:
    """The patient portal behind TLS 1.2 and later; the lab's interface in clear."""
    elb = account.client("elbv2")
    subnets = [account.recall("subnet:clinical-public-a"), account.recall("subnet:clinical-private-app-b")]
    for name, secure, scheme in (
        ("patient-portal", True, "internet-facing"),
        ("lab-interface", False, "internal"),
    ):
        balancer = elb.create_load_balancer(
            Name=name, Subnets=subnets, Scheme=scheme, Type="application", Tags=tag_list(PHI)
        )["LoadBalancers"][0]["LoadBalancerArn"]
        target = elb.create_target_group(
            Name=name, Protocol="HTTP", Port=8443, VpcId=account.recall("vpc:clinical"), TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
        _listener(account, balancer, target, secure=secure)


def seed_backups(account: Account) -> None:
    backup = account.client("backup")
    vault = f"{account.prefix}-clinical"
    backup.create_backup_vault(BackupVaultName=vault, EncryptionKeyArn=account.recall("key:ehr-data"))
    rule = {
        "RuleName": "nightly",
        "TargetBackupVaultName": vault,
        "ScheduleExpression": "cron(0 5 * * ? *)",
        "Lifecycle": {"DeleteAfterDays": 35},
    }
    backup.create_backup_plan(BackupPlan={"BackupPlanName": "clinical-nightly", "Rules": [rule]})


def seed_detectors(account: Account) -> None:
    """GuardDuty, Security Hub and an access analyzer in the primary region only."""
    account.client("guardduty").create_detector(Enable=True, FindingPublishingFrequency="FIFTEEN_MINUTES")
    account.client("securityhub").enable_security_hub(EnableDefaultStandards=True)
    analyzer = {
        "arn": account.arn("access-analyzer", "analyzer/account"),
        "name": "account",
        "type": "ACCOUNT",
        "createdAt": datetime.now(UTC) - timedelta(days=400),
        "status": "ACTIVE",
    }
    for region in account.regions:
        found = [analyzer] if region == account.primary else []
        account.aws.answer(
            "accessanalyzer:ListAnalyzers", {"analyzers": found}, account=account.account_id, region=region
        )


def seed_registry(account: Account) -> None:
    registry = account.client("ecr")
    registry.create_repository(
        repositoryName="ehr-app",
        imageScanningConfiguration={"scanOnPush": True},
        imageTagMutability="IMMUTABLE",
        tags=tag_list(OFFICE),
    )
    registry.create_repository(repositoryName="lab-interface")

"""IAM: people with and without MFA, old keys, an all-powerful policy, a vendor's role."""

from __future__ import annotations

from typing import NamedTuple

from portal.demo.hospital.account import Account, allow, document, trust_of

VENDOR_ACCOUNT_ID = "999988887777"
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_SUPPORT = "arn:aws:iam::aws:policy/AWSSupportAccess"


class Person(NamedTuple):
    """An IAM user. Days are ages; ``key_days`` holds one entry for each access key, newest last."""

    name: str
    console: bool
    mfa: bool
    signed_in_days: float | None = None
    key_days: tuple[int, ...] = ()
    group: str = ""
    joined_days: int = 900


MERCY_PEOPLE = (
    Person("dana.whitfield", console=True, mfa=True, signed_in_days=1, group="clinical-engineering"),
    Person("omar.haddad", console=True, mfa=False, signed_in_days=3, group="clinical-engineering"),
    Person("priya.raman", console=True, mfa=True, signed_in_days=12, key_days=(41,), group="billing"),
    Person("lee.contractor", console=True, mfa=False, signed_in_days=204, key_days=(390,)),
    Person("ehr-integration", console=False, mfa=False, key_days=(423,), joined_days=1400),
    Person("imaging-uploader", console=False, mfa=False, key_days=(720, 28)),
    Person("ruth.okafor", console=True, mfa=True, signed_in_days=5),
)
NORTHWIND_PEOPLE = (
    Person("sofia.lindgren", console=True, mfa=True, signed_in_days=2, group="operations"),
    Person("tomas.berg", console=True, mfa=True, signed_in_days=6, group="operations"),
    Person("ines.duarte", console=True, mfa=True, signed_in_days=21, group="operations"),
    Person("dicom-router", console=False, mfa=False, key_days=(34,)),
)


def _add_mfa(account: Account, name: str) -> None:
    iam = account.client("iam")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
    iam.enable_mfa_device(
        UserName=name,
        SerialNumber=device["SerialNumber"],
        AuthenticationCode1="123456",
        AuthenticationCode2="654321",
    )


def _add_keys(account: Account, person: Person) -> None:
    iam = account.client("iam")
    for position, days in enumerate(person.key_days, start=1):
        key = iam.create_access_key(UserName=person.name)["AccessKey"]["AccessKeyId"]
        account.aws.backdate("access_key", key, account=account.account_id, days=days)
        if position < len(person.key_days):
            iam.update_access_key(UserName=person.name, AccessKeyId=key, Status="Inactive")


def _add_person(account: Account, person: Person) -> None:
    iam, aws = account.client("iam"), account.aws
    iam.create_user(UserName=person.name)
    aws.backdate("user", person.name, account=account.account_id, days=person.joined_days)
    if person.console:
        iam.create_login_profile(UserName=person.name, Password="Made-up-4-the-demonstration!")
    if person.mfa:
        _add_mfa(account, person.name)
    if person.group:
        iam.add_user_to_group(GroupName=person.group, UserName=person.name)
    if person.signed_in_days is not None:
        aws.backdate(
            "password_last_used", person.name, account=account.account_id, days=person.signed_in_days
        )
    _add_keys(account, person)


def seed_people(account: Account, people: tuple[Person, ...]) -> None:
    """Users with their groups, keys and second factors. Also the root user's state."""
    iam = account.client("iam")
    for group in sorted({person.group for person in people if person.group}):
        iam.create_group(GroupName=group)
        iam.put_group_policy(
            GroupName=group,
            PolicyName="read-own-systems",
            PolicyDocument=document(allow(["ec2:Describe*", "logs:Get*", "s3:ListBucket"])),
        )
    for person in people:
        _add_person(account, person)


def seed_mercy_policies(account: Account) -> None:
    iam = account.client("iam")
    iam.attach_user_policy(UserName="ruth.okafor", PolicyArn=_ADMINISTRATOR)
    legacy = iam.create_policy(PolicyName="legacy-full-access", PolicyDocument=document(allow("*")))
    iam.attach_user_policy(UserName="ehr-integration", PolicyArn=legacy["Policy"]["Arn"])
    read = document(allow(["s3:GetObject"], f"arn:aws:s3:::{account.prefix}-ehr-documents/*"))
    iam.create_policy(PolicyName="ehr-documents-read", PolicyDocument=read)
    iam.update_account_password_policy(
        MinimumPasswordLength=14,
        RequireSymbols=True,
        RequireNumbers=True,
        RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True,
    )
    iam.attach_group_policy(GroupName="clinical-engineering", PolicyArn=_SUPPORT)
    iam.create_role(
        RoleName="lab-vendor-support",
        AssumeRolePolicyDocument=document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{VENDOR_ACCOUNT_ID}:root"},
                "Action": "sts:AssumeRole",
            }
        ),
    )
    account.aws.set_setting("root_last_used_days", 212, account=account.account_id)


def seed_northwind_policies(account: Account) -> None:
    """Root with MFA and unused, a password policy, and read access to studies for those who need it."""
    iam = account.client("iam")
    iam.update_account_password_policy(
        MinimumPasswordLength=16,
        RequireSymbols=True,
        RequireNumbers=True,
        RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True,
        PasswordReusePrevention=24,
    )
    read = document(allow(["s3:GetObject"], f"arn:aws:s3:::{account.prefix}-dicom-studies/*"))
    policy = iam.create_policy(PolicyName="dicom-studies-read", PolicyDocument=read)
    iam.attach_group_policy(GroupName="operations", PolicyArn=policy["Policy"]["Arn"])
    account.aws.set_setting("root_last_used_days", 340, account=account.account_id)


def seed_organisation(account: Account) -> None:
    """What the hospital's organisation forbids: its federation and the recovery region's key policies stay unread."""
    statements = [
        {
            "Sid": "DenyReadingFederation",
            "Effect": "Deny",
            "Action": "iam:ListSAMLProviders",
            "Resource": "*",
        },
        {
            "Sid": "DenyKeyPoliciesInRecoveryRegion",
            "Effect": "Deny",
            "Action": "kms:GetKeyPolicy",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": account.secondary}},
        },
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    account.aws.set_organisation_policy(account.account_id, policy)


def seed_service_roles(account: Account) -> None:
    """Roles that services assume; remembered as ``role:<service>``."""
    iam = account.client("iam")
    for service, actions in (
        ("ec2", ["s3:GetObject", "ssm:UpdateInstanceInformation"]),
        ("config", ["config:Put*", "s3:PutObject"]),
        ("vpc-flow-logs", ["logs:CreateLogStream", "logs:PutLogEvents"]),
        ("cloudtrail", ["logs:CreateLogStream", "logs:PutLogEvents"]),
        ("backup", ["backup:*"]),
    ):
        name = f"{account.prefix}-{service}"
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust_of(service))["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=document(allow(actions)))
        account.remember(f"role:{service}", role["Arn"])
    iam.create_instance_profile(InstanceProfileName=f"{account.prefix}-ehr-app")
    iam.add_role_to_instance_profile(
        InstanceProfileName=f"{account.prefix}-ehr-app", RoleName=f"{account.prefix}-ec2"
    )

from __future__ import annotations

import fnmatch
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import hcl2
import pytest

from evidence.aws import policy
from evidence.aws.policy import (
    DATA_READS,
    MANAGED_POLICY_LIMIT,
    SESSION_POLICY_LIMIT,
    cloudformation_template,
    denied,
    managed_policies,
    preview,
    quick_create_url,
    role_policy,
    session_policy,
    size_of,
    terraform_module,
    trust_policy,
)
from evidence.collectors.base import Action, Collector, Scope, collectors
from tests.evidence.aws.conftest import EXTERNAL_ID, PORTAL

DECLARED = sorted({action.name for collector in collectors().values() for action in collector.actions})


def many(count: int) -> list[Collector]:
    """Collectors that declare more than one managed policy holds."""
    return [
        Collector(
            title=f"Number {number}",
            service="ec2",
            scope=Scope.REGIONAL,
            version=1,
            actions=(Action(f"ec2:DescribeSomethingWithALongName{number}", f"Op{number}", "For the test."),),
            collect=lambda _aws: None,
        )
        for number in range(count)
    ]


def statements(document, effect: str) -> list[str]:
    return [name for part in document["Statement"] if part["Effect"] == effect for name in part["Action"]]


def test_the_role_may_do_exactly_what_collectors_declare():
    document = role_policy()
    assert statements(document, "Allow") == DECLARED
    assert not any("*" in name for name in statements(document, "Allow"))
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize(
    "action",
    ["s3:GetObject", "secretsmanager:GetSecretValue", "kms:Decrypt", "dynamodb:Scan", "logs:GetLogEvents"],
)
def test_reading_data_is_denied_in_so_many_words(action):
    assert any(fnmatch.fnmatchcase(action, pattern) for pattern in statements(role_policy(), "Deny"))


def test_nothing_that_is_declared_is_denied():
    assert set(denied(DECLARED)) == set(DATA_READS)
    assert "cloudtrail:LookupEvents" not in denied(["cloudtrail:LookupEvents"])
    assert "ssm:GetParameter*" not in denied(["ssm:GetParametersByPath"])


def test_every_action_only_reads():
    writing = [name for name in DECLARED if not name.split(":")[1].startswith(("Get", "List", "Describe"))]
    assert writing == ["iam:GenerateCredentialReport"]


def test_the_session_policy_fits_allows_what_is_declared_and_denies_data():
    document = json.loads(session_policy())
    assert len(session_policy()) <= SESSION_POLICY_LIMIT
    allowed, blocked = statements(document, "Allow"), statements(document, "Deny")
    for name in DECLARED:
        assert any(fnmatch.fnmatchcase(name, pattern) for pattern in allowed), name
        assert not any(fnmatch.fnmatchcase(name, pattern) for pattern in blocked), name
    for name in (
        "s3:GetObject",
        "secretsmanager:GetSecretValue",
        "logs:GetLogEvents",
        "rds:DownloadDBLogFilePortion",
    ):
        readable = any(fnmatch.fnmatchcase(name, pattern) for pattern in allowed)
        assert not readable or any(fnmatch.fnmatchcase(name, pattern) for pattern in blocked), name


def test_a_session_policy_that_outgrows_aws_is_an_error(monkeypatch):
    monkeypatch.setattr(policy, "SESSION_POLICY_LIMIT", 100)
    session_policy.cache_clear()
    with pytest.raises(ValueError, match="100"):
        session_policy()
    session_policy.cache_clear()


@pytest.mark.parametrize("count", [1, 130, 400])
def test_a_policy_over_awss_limit_is_split_and_loses_nothing(count):
    documents = managed_policies(many(count))
    assert max(size_of(document) for document in documents) <= MANAGED_POLICY_LIMIT
    allowed = [name for document in documents for name in statements(document, "Allow")]
    assert allowed == statements(role_policy(many(count)), "Allow")
    assert statements(documents[0], "Deny") == statements(role_policy(many(count)), "Deny")
    assert (len(documents) > 1) == (size_of(role_policy(many(count))) > MANAGED_POLICY_LIMIT)


def test_the_trust_policy_names_one_principal_and_one_external_id():
    [statement] = trust_policy(PORTAL, EXTERNAL_ID)["Statement"]
    assert statement["Principal"] == {"AWS": PORTAL}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}


def test_the_preview_shows_each_permission_once_with_its_reason():
    rows = preview()
    assert [row.action for row in rows] == DECLARED
    assert all(row.why.endswith(".") and row.collector for row in rows)
    assert next(row for row in rows if row.action == "ec2:DescribeRegions").collector == "account"


def test_the_cloudformation_template_is_valid_with_and_without_defaults(tmp_path: Path):
    paths = [tmp_path / "bare.json", tmp_path / "filled.json"]
    paths[0].write_text(cloudformation_template())
    paths[1].write_text(cloudformation_template(PORTAL, EXTERNAL_ID))
    found = subprocess.run(
        [str(Path(sys.executable).with_name("cfn-lint")), "--region", "us-east-1", "--", *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_cloudformation_template_makes_the_same_role():
    template = json.loads(cloudformation_template(PORTAL, EXTERNAL_ID))
    assert {name: part.get("Default") for name, part in template["Parameters"].items()} == {
        "PrincipalArn": PORTAL,
        "ExternalId": EXTERNAL_ID,
        "RoleName": "SuretyReader",
    }
    documents = [
        part["Properties"]["PolicyDocument"]
        for part in template["Resources"].values()
        if part["Type"] == "AWS::IAM::ManagedPolicy"
    ]
    assert documents == managed_policies()
    [trust] = template["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}


def test_the_terraform_module_makes_the_same_role():
    text = terraform_module(PORTAL, EXTERNAL_ID)
    for name in DECLARED + list(denied(DECLARED)):
        assert f'"{name}",' in text
    assert f'default     = "{EXTERNAL_ID}"' in text
    assert 'variable = "sts:ExternalId"' in text
    assert "default" not in terraform_module().split('variable "external_id"')[1].split("}")[0]
    assert text.count("{") == text.count("}")
    assert "$number" not in text


@pytest.mark.parametrize("given", [("", ""), (PORTAL, EXTERNAL_ID)])
def test_the_terraform_module_can_be_parsed(given):
    module = hcl2.loads(terraform_module(*given))
    assert len(module["resource"]) == 1 + 2 * len(managed_policies())
    assert len(module["variable"]) == 3


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("aws-us-gov", "us-gov-west-1", "console.amazonaws-us-gov.com"),
        ("aws-cn", "cn-north-1", "console.amazonaws.cn"),
    ],
)
def test_the_console_link_carries_the_parameters(partition, region, host):
    url = quick_create_url(
        template_url="https://templates.s3.amazonaws.com/role.json?a=b&c",
        principal_arn=PORTAL,
        external_id=EXTERNAL_ID,
        partition=partition,
        region=region,
    )
    parts = urlsplit(url)
    assert parts.netloc == host
    assert parts.query == f"region={region}"
    path, _, query = parts.fragment.partition("?")
    assert path == "/stacks/quickcreate"
    assert {name: value for name, [value] in parse_qs(query).items()} == {
        "templateURL": "https://templates.s3.amazonaws.com/role.json?a=b&c",
        "stackName": "SuretyReader",
        "param_RoleName": "SuretyReader",
        "param_PrincipalArn": PORTAL,
        "param_ExternalId": EXTERNAL_ID,
    }

"""What the customer's role may do, generated from the collectors' declarations.

Sources: IAM User Guide, "IAM and STS character limits" (managed policy 6,144 and session policy
2,048 characters, white space not counted); Service Authorization Reference for the names of actions.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from evidence.collectors.base import Action, Collector, collectors

MANAGED_POLICY_LIMIT = 6144
SESSION_POLICY_LIMIT = 2048
ROLE_NAME = "SuretyReader"
VERSION = "2012-10-17"

DATA_READS = (
    "athena:GetQueryResults*",
    "cloudtrail:LookupEvents",
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:GetRecords",
    "dynamodb:PartiQLSelect",
    "dynamodb:Query",
    "dynamodb:Scan",
    "ec2:GetConsoleOutput",
    "ec2:GetConsoleScreenshot",
    "ec2:GetPasswordData",
    "ecr:GetDownloadUrlForLayer",
    "kinesis:GetRecords",
    "kms:Decrypt",
    "lambda:GetFunction",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:GetLogRecord",
    "logs:GetQueryResults",
    "logs:StartLiveTail",
    "logs:StartQuery",
    "rds:DownloadCompleteDBLogFile",
    "rds:DownloadDBLogFilePortion",
    "s3:GetObject*",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "sqs:ReceiveMessage",
    "ssm:GetParameter*",
)
"""Actions that read what customers store rather than how they keep it; denied in so many words."""

_VERBS = ("Describe", "Get", "List")
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
}

Document = dict[str, Any]


class PreviewRow(NamedTuple):
    """One permission as shown to the person who grants it; `collector` names all that need it."""

    action: str
    why: str
    collector: str


def declared(chosen: Iterable[Collector] | None = None) -> tuple[Action, ...]:
    """The declared actions of the chosen collectors (default: all), one per IAM action, by name."""
    by_name: dict[str, Action] = {}
    for collector in collectors().values() if chosen is None else chosen:
        for action in collector.actions:
            by_name.setdefault(action.name, action)
    return tuple(by_name[name] for name in sorted(by_name))


def preview() -> list[PreviewRow]:
    """Every permission with its reason, by action, for the page that asks for them."""
    rows: dict[str, PreviewRow] = {}
    for collector in collectors().values():
        for action in collector.actions:
            earlier = rows.get(action.name)
            named = f"{earlier.collector}, {collector.name}" if earlier else collector.name
            rows[action.name] = PreviewRow(action.name, earlier.why if earlier else action.why, named)
    return [rows[name] for name in sorted(rows)]


def denied(allowed: Iterable[str]) -> tuple[str, ...]:
    """DATA_READS without what would deny an allowed action."""
    names = tuple(allowed)
    return tuple(pattern for pattern in DATA_READS if not any(_covers(pattern, name) for name in names))


def role_policy(chosen: Iterable[Collector] | None = None) -> Document:
    """The role's whole policy as one document: exactly the declared actions, and no reading of data.

    It may be longer than AWS takes in one managed policy; `managed_policies` gives it in parts.
    """
    names = tuple(action.name for action in declared(chosen))
    return _document(_allow(names), _deny(denied(names)))


def managed_policies(chosen: Iterable[Collector] | None = None) -> list[Document]:
    """The role's policy in documents of at most 6,144 characters each, the denial in the first."""
    names = [action.name for action in declared(chosen)]
    statements = [_deny(denied(names))]
    documents: list[Document] = []
    batch: list[str] = []
    for name in names:
        if size_of(_document(_allow([*batch, name]), *statements)) > MANAGED_POLICY_LIMIT:
            documents.append(_document(_allow(batch), *statements))
            batch, statements = [], []
        batch.append(name)
    return [*documents, _document(_allow(batch), *statements)]


@cache
def session_policy() -> str:
    """The inline policy of every session: whatever the role may do, this session only reads configuration.

    Raises ValueError when the declarations have outgrown AWS's 2,048 characters.
    """
    names = [action.name for action in declared()]
    allowed = sorted({_read_pattern(name) for name in names} | {"sts:GetCallerIdentity"})
    # What no pattern allows needs no denial here, and AWS counts every character.
    blocked = [name for name in denied(names) if any(_covers(pattern, name) for pattern in allowed)]
    document = _document(_allow(allowed, sid=""), _deny(blocked, sid=""))
    text = _compact(document)
    if len(text) > SESSION_POLICY_LIMIT:
        raise ValueError(f"the session policy has {len(text)} characters, AWS takes {SESSION_POLICY_LIMIT}")
    return text


def trust_policy(principal_arn: str, external_id: str) -> Document:
    """Who may assume the customer's role, and only with the connection's external ID.

    sts:SetSourceIdentity lets a session carry the connection's id into the customer's CloudTrail.
    """
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": principal_arn},
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        }
    )


def cloudformation_template(
    principal_arn: str = "", external_id: str = "", role_name: str = ROLE_NAME
) -> str:
    """A CloudFormation template (JSON) that makes the role; what is given becomes a parameter's default."""
    parameters = {
        "PrincipalArn": _parameter(
            "The identity that assumes this role.", principal_arn, r"arn:[a-z-]+:iam::[0-9]{12}:.+"
        ),
        "ExternalId": _parameter(
            "The external ID that the portal made for this connection.", external_id, r"[\w+=,.@:/-]{2,1224}"
        ),
        "RoleName": _parameter("The name of the role.", role_name, r"[\w+=,.@-]{1,64}"),
    }
    trust = trust_policy("", "")
    trust["Statement"][0]["Principal"]["AWS"] = {"Ref": "PrincipalArn"}
    trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = {"Ref": "ExternalId"}
    policies = {
        f"ReadConfiguration{number}": document for number, document in enumerate(managed_policies(), 1)
    }
    resources: Document = {
        name: {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"Description": "Reads configuration, never data.", "PolicyDocument": document},
        }
        for name, document in policies.items()
    }
    resources["Role"] = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": {"Ref": "RoleName"},
            "Description": "Lets the compliance portal read this account's configuration.",
            "AssumeRolePolicyDocument": trust,
            "ManagedPolicyArns": [{"Ref": name} for name in policies],
            "MaxSessionDuration": 3600,
        },
    }
    return json.dumps(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "A role with which the compliance portal reads configuration as HIPAA evidence.",
            "Parameters": parameters,
            "Resources": resources,
            "Outputs": {
                "RoleArn": {
                    "Description": "Give this to the portal.",
                    "Value": {"Fn::GetAtt": ["Role", "Arn"]},
                }
            },
        },
        indent=2,
    )


def terraform_module(principal_arn: str = "", external_id: str = "", role_name: str = ROLE_NAME) -> str:
    """A Terraform module (HCL) that makes the same role as the CloudFormation template."""
    blocks = "\n".join(
        _TERRAFORM_POLICY.substitute(number=number, statements=_terraform_statements(document))
        for number, document in enumerate(managed_policies(), 1)
    )
    return Template(_template("role.tf")).substitute(
        principal_default=_terraform_default(principal_arn),
        external_id_default=_terraform_default(external_id),
        role_name=json.dumps(role_name),
        policies=blocks,
    )


def quick_create_url(
    *,
    template_url: str,
    principal_arn: str,
    external_id: str,
    role_name: str = ROLE_NAME,
    partition: str = "aws",
    region: str,
) -> str:
    """The console's page that creates the stack. `template_url` must be an S3 object's address."""
    console = _CONSOLES[partition]
    host = f"{region}.{console}" if partition == "aws" else console
    query = urlencode(
        {
            "templateURL": template_url,
            "stackName": ROLE_NAME,
            "param_PrincipalArn": principal_arn,
            "param_ExternalId": external_id,
            "param_RoleName": role_name,
        },
        quote_via=quote,
    )
    return f"https://{host}/cloudformation/home?region={region}#/stacks/quickcreate?{query}"


def size_of(document: Document) -> int:
    """A policy's length as AWS counts it: without white space."""
    return len(_compact(document))


def _document(*statements: Document) -> Document:
    return {"Version": VERSION, "Statement": list(statements)}


def _allow(names: Sequence[str], sid: str = "ReadConfiguration") -> Document:
    return _statement("Allow", names, sid)


def _deny(names: Sequence[str], sid: str = "NeverReadData") -> Document:
    return _statement("Deny", names, sid)


def _statement(effect: str, names: Sequence[str], sid: str) -> Document:
    labelled = {"Sid": sid} if sid else {}
    return {**labelled, "Effect": effect, "Action": list(names), "Resource": "*"}


def _read_pattern(name: str) -> str:
    service, _, action = name.partition(":")
    verb = next((verb for verb in _VERBS if action.startswith(verb)), None)
    return f"{service}:{verb}*" if verb else name


def _covers(pattern: str, name: str) -> bool:
    """Whether an IAM pattern matches an action; a trailing * in the name is taken as any ending."""
    return fnmatch.fnmatchcase(name.rstrip("*").lower(), pattern.lower())


def _compact(document: Document) -> str:
    return json.dumps(document, separators=(",", ":"))


def _parameter(description: str, default: str, pattern: str) -> Document:
    given = {"Default": default} if default else {}
    return {"Type": "String", "Description": description, "AllowedPattern": pattern, **given}


def _template(name: str) -> str:
    return (files("evidence.aws") / "templates" / name).read_text(encoding="utf-8")


def _terraform_default(value: str) -> str:
    return f"\n  default     = {json.dumps(value)}" if value else ""


def _terraform_statements(document: Document) -> str:
    return "\n".join(
        _TERRAFORM_STATEMENT.substitute(
            sid=statement["Sid"],
            effect=statement["Effect"],
            actions="\n".join(f"      {json.dumps(name)}," for name in statement["Action"]),
        )
        for statement in document["Statement"]
    )


_TERRAFORM_STATEMENT = Template("""  statement {
    sid    = "$sid"
    effect = "$effect"
    actions = [
$actions
    ]
    resources = ["*"]
  }""")

_TERRAFORM_POLICY = Template("""data "aws_iam_policy_document" "read_configuration_$number" {
$statements
}

resource "aws_iam_policy" "read_configuration_$number" {
  name        = "$${var.role_name}-read-configuration-$number"
  description = "Reads configuration, never data."
  policy      = data.aws_iam_policy_document.read_configuration_$number.json
}

resource "aws_iam_role_policy_attachment" "read_configuration_$number" {
  role       = aws_iam_role.this.name
  policy_arn = aws_iam_policy.read_configuration_$number.arn
}
""")

"""What is not known of identities and policies stays unknown, and least privilege is judged by what policies do."""

from typing import Any

import pytest

from assessments.checks.base import Check, Example, Outcome, Result, checks, seen_in_example
from assessments.checks.engine import evaluate
from assessments.checks.subjects import examples

BROKEN = "{not a policy"
MALFORMED: dict[str, Example] = {
    "iam_policy_not_everything": examples.identities(Policies=[examples.policy("p", BROKEN)]),
    "iam_policy_decrypt_named_keys": examples.identities(Policies=[examples.policy("p", BROKEN)]),
    "iam_inline_policy_not_everything": examples.identities(
        RoleDetailList=[examples.role("app", RolePolicyList=[{"PolicyName": "p", "PolicyDocument": BROKEN}])]
    ),
    "iam_inline_policy_decrypt_named_keys": examples.identities(
        RoleDetailList=[examples.role("app", RolePolicyList=[{"PolicyName": "p", "PolicyDocument": BROKEN}])]
    ),
    "iam_role_trust_not_public": examples.identities(RoleDetailList=[examples.role("app")]),
    "iam_role_external_id": examples.identities(RoleDetailList=[examples.role("app")]),
    "kms_key_not_public": examples.key(BROKEN),
    "kms_key_own_account_only": examples.key(BROKEN),
    "kms_key_separate_duties": examples.key(BROKEN),
    "secretsmanager_not_public": examples.secret(BROKEN),
    "secretsmanager_own_account_only": examples.secret(BROKEN),
}
ON_REPORT = [check for check in checks().values() if "GetCredentialReport" in check.passing[0].get("iam", {})]


def only(check: Check, example: Example) -> Result:
    (result,) = evaluate([check], seen_in_example(example, global_collectors=["iam"]), ["us-east-1"])
    return result


@pytest.mark.parametrize("check_id", MALFORMED)
def test_a_policy_that_cannot_be_read_leaves_the_outcome_unknown(check_id: str) -> None:
    result = only(checks()[check_id], MALFORMED[check_id])
    assert result.outcome is Outcome.UNKNOWN
    assert "cannot be read" in result.observed


@pytest.mark.parametrize("check", [pytest.param(check, id=check.id) for check in ON_REPORT])
def test_an_empty_credential_report_says_nothing_of_anybody(check: Check) -> None:
    answers = {**check.passing[0]["iam"], "GetCredentialReport": {"": {"Content": ""}}}
    result = only(check, {"iam": answers})
    assert result.outcome is Outcome.UNKNOWN
    assert "GetCredentialReport" in result.observed


def statement(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Resource": "*"} | elements


@pytest.mark.parametrize(
    ("document", "outcome"),
    [
        ([statement(NotAction="iam:*")], Outcome.FAIL),
        ([statement(Action="kms:Decrypt", Resource="arn:aws:kms:*:111122223333:key/*")], Outcome.FAIL),
        ([statement(Action="kms:Decrypt", NotResource="arn:aws:s3:::x")], Outcome.FAIL),
        ([statement(Action="kms:ReEncrypt*")], Outcome.FAIL),
        ([statement(Action="kms:Encrypt")], Outcome.PASS),
        ([statement(Action="*"), statement(Effect="Deny", Action="kms:*")], Outcome.PASS),
        ([statement(Action="*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})], Outcome.FAIL),
        (
            [statement(Action="*", Condition={"StringEqualsIfExists": {"kms:ViaService": "s3.x"}})],
            Outcome.FAIL,
        ),
        (
            [statement(Action="kms:*", Condition={"StringEquals": {"aws:ResourceTag/phi": "no"}})],
            Outcome.PASS,
        ),
    ],
)
def test_decrypting_with_every_key_is_recognised_however_it_is_allowed(
    document: list[dict[str, Any]], outcome: Outcome
) -> None:
    for one in document:
        if "NotResource" in one:
            del one["Resource"]
    example = examples.identities(Policies=[examples.policy("p", {"Statement": document})])
    assert only(checks()["iam_policy_decrypt_named_keys"], example).outcome is outcome


def test_a_document_in_url_encoding_is_read_too() -> None:
    encoded = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D"
    example = examples.identities(Policies=[examples.policy("p", encoded)])
    assert only(checks()["iam_policy_not_everything"], example).outcome is Outcome.FAIL


def test_a_policy_that_nobody_holds_and_a_role_of_an_aws_service_are_left_out() -> None:
    unused = examples.identities(Policies=[examples.policy("p", examples.EVERYTHING, attached=0)])
    assert only(checks()["iam_policy_not_everything"], unused).outcome is Outcome.NOT_APPLICABLE
    of_aws = examples.identities(
        RoleDetailList=[examples.role("x", Path="/aws-service-role/ecs.amazonaws.com/")]
    )
    assert (
        list(evaluate([checks()["iam_role_used"]], seen_in_example(of_aws, global_collectors=["iam"]), []))
        == []
    )


def test_a_report_without_the_root_user_says_nothing_of_its_use() -> None:
    result = only(checks()["iam_root_not_used"], examples.credential_report(maria={}))
    assert result.outcome is Outcome.UNKNOWN
    assert "no row for the root user" in result.observed

from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict
from assessments.checks.subjects import examples, iam
from assessments.checks.subjects.documents import reading_policies
from evidence.types import Seen


@reading_policies
def judge(policy: Resource, _seen: Seen) -> Verdict:
    return iam.judge_attached(policy, "decrypting with every KMS key", iam.decrypts_with_all_keys)


CHECK = Check(
    title="The account's own policies name the KMS keys that may be used to decrypt",
    severity=Severity.MEDIUM,
    collectors=("iam",),
    supports=("164.308(a)(4)(ii)(B)", "164.312(a)(2)(iv)"),
    rationale="Encryption separates those who may read ePHI from those who may not only if the right to decrypt is given key by key.",
    expected="No attached customer policy allows kms:Decrypt or kms:ReEncryptFrom on all keys of a region.",
    fix=Fix(
        console="IAM, Policies, the policy, Edit: put the ARNs of the keys into Resource, or condition on kms:ViaService or kms:ResourceAliases.",
        cli="aws iam create-policy-version --policy-arn ARN --policy-document file://policy.json --set-as-default",
    ),
    resources=iam.customer_policies,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        examples.identities(
            Policies=[
                examples.policy(
                    "p", {"Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": examples.KEY}}
                )
            ]
        ),
        examples.identities(
            Policies=[
                examples.policy(
                    "p",
                    {
                        "Statement": {
                            "Effect": "Allow",
                            "Action": "kms:*",
                            "Resource": "*",
                            "Condition": {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
                        }
                    },
                )
            ]
        ),
    ),
    failing=(
        examples.identities(
            Policies=[
                examples.policy("p", {"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}})
            ]
        ),
        examples.identities(
            Policies=[
                examples.policy(
                    "p",
                    {
                        "Statement": {
                            "Effect": "Allow",
                            "Action": "kms:Decrypt",
                            "Resource": "arn:aws:kms:us-east-1:111122223333:key/*",
                        }
                    },
                )
            ]
        ),
    ),
)

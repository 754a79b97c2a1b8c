from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict
from assessments.checks.subjects import examples, iam
from assessments.checks.subjects.documents import reading_policies
from evidence.types import Seen


@reading_policies
def judge(policy: Resource, _seen: Seen) -> Verdict:
    return iam.judge_attached(policy, "everything, or to make oneself administrator", iam.grants_everything)


CHECK = Check(
    title="The account's own policies do not allow everything",
    severity=Severity.HIGH,
    collectors=("iam",),
    supports=("164.308(a)(3)(ii)(A)", "164.308(a)(4)(ii)(B)", "164.312(a)(1)"),
    rationale="Whoever holds a policy that allows everything, or all of IAM, can read, change and delete all ePHI; access is then granted to all or nothing instead of by need.",
    expected="No attached customer policy allows all actions, or iam:*, on all resources.",
    fix=Fix(
        console="IAM, Policies, the policy, Edit: name the actions and resources that the function needs; Access Analyzer can generate a policy from CloudTrail.",
        cli="aws iam create-policy-version --policy-arn ARN --policy-document file://policy.json --set-as-default",
    ),
    resources=iam.customer_policies,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(examples.identities(Policies=[examples.policy("read-charts", examples.READ_ONE_BUCKET)]),),
    failing=(
        examples.identities(Policies=[examples.policy("all", examples.EVERYTHING)]),
        examples.identities(
            Policies=[
                examples.policy("iam", {"Statement": {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}})
            ]
        ),
    ),
)

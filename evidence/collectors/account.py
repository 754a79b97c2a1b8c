"""The account itself: who AWS says it is, its name, its regions, and whom AWS calls about security."""

from __future__ import annotations

from evidence.collectors.base import Action, Collector, Reader, Scope


def collect(aws: Reader) -> None:
    aws.get("GetCallerIdentity")
    aws.list("ListAccountAliases", "AccountAliases", service="iam")
    aws.list("DescribeRegions", "Regions", service="ec2", AllRegions=True)
    aws.get(
        "GetAlternateContact",
        key="SECURITY",
        absent=("ResourceNotFoundException",),
        service="account",
        AlternateContactType="SECURITY",
    )


COLLECTOR = Collector(
    title="AWS account",
    service="sts",
    scope=Scope.GLOBAL,
    version=1,
    actions=(
        Action(
            "sts:GetCallerIdentity",
            "GetCallerIdentity",
            "Confirms that the evidence comes from the account you registered and from no other.",
        ),
        Action(
            "iam:ListAccountAliases",
            "ListAccountAliases",
            "Shows the account's name, so that people recognise it in reports.",
            service="iam",
        ),
        Action(
            "ec2:DescribeRegions",
            "DescribeRegions",
            "Lists the regions that are switched on, so that none is left out of the evidence.",
            service="ec2",
        ),
        Action(
            "account:GetAlternateContact",
            "GetAlternateContact",
            "Shows whom AWS informs about security incidents in this account.",
            service="account",
        ),
    ),
    collect=collect,
)

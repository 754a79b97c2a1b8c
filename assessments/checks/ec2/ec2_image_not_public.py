from __future__ import annotations

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2
from evidence.types import Seen


def judge(image: Resource, _seen: Seen) -> Verdict:
    match image.data.get("Public"):
        case True:
            return failed("every AWS account may launch it")
        case False:
            return passed("not public")
    return unknown("AWS did not say whether it is public")


CHECK = Check(
    title="Machine images are not public",
    severity=Severity.CRITICAL,
    collectors=("ec2",),
    supports=("164.312(a)(1)", "164.308(a)(3)(i)"),
    rationale="An image carries the disks of the machine that it was taken of, with ePHI, configuration and keys on them. Public, anybody can start it and read them.",
    expected="Public is false for the image.",
    fix=Fix(
        console="EC2, AMIs, the image, Actions, Edit AMI permissions: Private.",
        cli="aws ec2 modify-image-attribute --image-id ami-ID --launch-permission 'Remove=[{Group=all}]'",
        terraform='resource "aws_ec2_image_block_public_access" "this" {\n  state = "block-new-sharing"\n}',
    ),
    resources=ec2.images,
    judge=judge,
    passing=({"ec2": {"DescribeImages": {"": {"Images": [{"ImageId": "ami-1", "Public": False}]}}}},),
    failing=({"ec2": {"DescribeImages": {"": {"Images": [{"ImageId": "ami-1", "Public": True}]}}}},),
)

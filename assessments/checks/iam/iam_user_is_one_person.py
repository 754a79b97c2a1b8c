"""Names are a hint, not proof: that each user is one person is for an attestation to say."""

import re

from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import examples, iam
from evidence.types import Seen

_SHARED = re.compile(
    r"(?:^|[-_.])(?:shared|common|team|everyone|generic|guest|temp|test|user|users|admin|admins|administrator|"
    r"root|support|nurses?|frontdesk|reception|office|staff|clinic|department|dev|developers?|ops|it)\d*(?:$|[-_.])",
    re.IGNORECASE,
)


def judge(user: Resource, _seen: Seen) -> Verdict:
    if _SHARED.search(user.name):
        return failed(
            f"{user.name} signs in to the console and has the name of a group or function, not of one person"
        )
    return passed("the name does not suggest that several people share it")


CHECK = Check(
    title="Console users are named for one person",
    severity=Severity.MEDIUM,
    collectors=("iam",),
    supports=("164.312(a)(2)(i)",),
    rationale="The Rule asks for a unique name for each user, so that what is done can be traced to a person; a shared sign-in makes every record of access to ePHI worthless as proof.",
    expected="No user with a console password has a name that stands for a group, function or test.",
    fix=Fix(
        console="Give each person a federated identity (IAM Identity Center) or a user of their own, then delete the shared one.",
        cli="aws iam delete-login-profile --user-name SHARED",
    ),
    resources=iam.console_users,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(examples.credential_report(**{"maria.lopez": {"password_enabled": "true"}}),),
    failing=(
        examples.credential_report(**{"front-desk-shared": {"password_enabled": "true"}}),
        examples.credential_report(admin={"password_enabled": "true"}),
    ),
)

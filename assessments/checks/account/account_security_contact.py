from assessments.checks.base import Absent, Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import iam
from evidence.types import Seen


def judge(_account: Resource, seen: Seen) -> Verdict:
    answer = seen["account"].get("account:GetAlternateContact", "SECURITY")
    contact = (answer or {}).get("AlternateContact") or {}
    if contact.get("EmailAddress"):
        return passed("a security contact with an e-mail address is set")
    return failed("no security contact is set")


CHECK = Check(
    title="AWS knows whom to tell of a security problem",
    severity=Severity.LOW,
    collectors=("account",),
    supports=("164.308(a)(6)(ii)",),
    rationale="AWS reports abuse, exposed keys and suspected intrusions to the security contact; without one the notice goes to the root user's mailbox, which often nobody reads, and the response to an incident starts late.",
    expected="A security alternate contact with an e-mail address is set.",
    fix=Fix(
        console="Account, Alternate contacts, Security: enter a mailbox that a team reads.",
        cli="aws account put-alternate-contact --alternate-contact-type SECURITY --name NAME --title TITLE --email-address EMAIL --phone-number PHONE",
        terraform='resource "aws_account_alternate_contact" "security" { alternate_contact_type = "SECURITY" ... }',
    ),
    resources=iam.account,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        {
            "account": {
                "account:GetAlternateContact": {
                    "SECURITY": {"AlternateContact": {"EmailAddress": "security@clinic.example"}}
                }
            }
        },
    ),
    failing=(
        {"account": {"account:GetAlternateContact": {"SECURITY": Absent("ResourceNotFoundException")}}},
    ),
)

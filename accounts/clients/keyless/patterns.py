"""Patterns of subjects and roles: `*` stands for any signs but a colon, at the very end for any at all.

A subject's parts stand between colons, which no part can hold: so `repo:mercy/*:ref:refs/heads/main` is met by the
main branches of mercy's repositories and by nothing that somebody else can name.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from accounts.errors import InvalidInput

MOST_STARS = 4
SHARED_ISSUERS = {
    "token.actions.githubusercontent.com": (
        re.compile(r"(repo:[^*/:]+/|(repository|repository_id|repository_owner|repository_owner_id|enterprise):[^*:]+)"),
        "repo:YOUR-ORGANISATION/",
    ),
    "gitlab.com": (re.compile(r"(project_path:[^*/:]+/|project_id:[^*:]+)"), "project_path:YOUR-GROUP/"),
}  # fmt: skip
"""Issuers that sign for everybody on the Internet: how a subject of one's own begins there, and its sample."""
_ARN = re.compile(
    r"arn:(?:aws|aws-us-gov|aws-cn):iam::(\d{12}):(?:role/[\w+=,.@*-]+|user/(?:[\w+=,.@-]+/)*[\w+=,.@*-]+)",
    re.ASCII,
)
_LAST = re.compile(r"[^/]+\Z")


def matches(pattern: str, said: str) -> bool:
    """Whether the pattern is met, by the whole of what was said."""
    open_end = pattern.endswith("*")
    parts = (pattern[:-1] if open_end else pattern).split("*")
    wanted = "[^:]*".join(re.escape(part) for part in parts) + (".*" if open_end else "")
    return re.fullmatch(wanted, said, re.DOTALL) is not None


def check_subject(pattern: str, issuer: str) -> None:
    """Raises InvalidInput for a pattern that strangers could meet."""
    begins, star, _ = pattern.partition("*")
    if not begins:
        raise InvalidInput(
            "Begin with what is yours: a pattern that begins with * lets others in.", field="subject"
        )
    if pattern.count("*") > MOST_STARS:
        raise InvalidInput(f"Use at most {MOST_STARS} stars.", field="subject")
    shared = SHARED_ISSUERS.get(urlsplit(issuer).hostname or "")
    if shared and not _names_owner(shared[0], begins, whole=not star):
        raise InvalidInput(
            f"This issuer signs for everybody: begin with {shared[1]} so that only your own jobs come in.",
            field="subject",
        )


def account_of(arn: str) -> str:
    """The account of a role's or user's ARN pattern, whose last part may hold `*`. Raises InvalidInput."""
    found = _ARN.fullmatch(arn)
    if found is None:
        raise InvalidInput(
            "Give a role or a user, such as arn:aws:iam::111122223333:role/evidence-push. A role's path is left out:"
            " AWS doesn't tell it.",
            field="arn",
        )
    last = _LAST.search(arn)
    name = last[0] if last else ""
    if name.startswith("*") or name.count("*") > MOST_STARS:
        raise InvalidInput(
            "Begin the name with what is yours: * alone lets everybody of the account in.", field="arn"
        )
    return found[1]


def _names_owner(own: re.Pattern[str], begins: str, *, whole: bool) -> bool:
    found = own.match(begins)
    # An owner's name must be whole: mercy* is met by mercy-evil too.
    return found is not None and (
        whole or begins[found.end() - 1] == "/" or begins[found.end() :].startswith(":")
    )

"""Policy documents inside answers, and judges that read them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import unquote

from assessments.checks.base import Resource, Verdict, unknown
from assessments.checks.policy import Policy, parse
from evidence.types import Seen

Judge = Callable[[Resource, Seen], Verdict]


def read(document: Any) -> Policy:
    """Reads a document as IAM gives it: an object, JSON text, or JSON text in URL encoding. Raises ValueError."""
    return parse(unquote(document) if isinstance(document, str) and document.startswith("%") else document)


def reading_policies(judge: Judge) -> Judge:
    """A judge that says UNKNOWN where a policy is malformed, since nothing is then known of it."""

    @wraps(judge)
    def judged(resource: Resource, seen: Seen) -> Verdict:
        try:
            return judge(resource, seen)
        except ValueError as error:
            return unknown(f"the policy cannot be read: {error}")

    return judged

"""Mail domains of the open tenant, proved by a TXT record.

A domain has one holder among all tenants: who proved it last. A later proof is accepted only once the former
holder's record is gone from the DNS, so nobody can take a domain over whose owner doesn't let them; and that a
domain has another holder is told only to who controls its DNS. There is no other way to learn it.
"""

from __future__ import annotations

import re
import secrets
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.audit.events import Act, ActOutcome
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.outbound import UnreachableError
from accounts.sso.dns import text_records
from accounts.sso.models import VerifiedDomain
from accounts.sso.policy import require_way_back
from accounts.tenancy.scope import current_tenant_id
from accounts.tenancy.unscoped import domain_holder

LABEL = "_surety-challenge"
LONGEST = 253
_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+")


def record_name(domain: str) -> str:
    """Where the TXT record is to stand."""
    return f"{LABEL}.{domain}"


def record_value(challenge: str) -> str:
    """What the TXT record is to say."""
    return f"surety-domain-verification={challenge}"


def add_domain(*, domain: str) -> VerifiedDomain:
    """Notes a domain to be proved. Raises InvalidInput for no domain name, Conflict for one that is noted."""
    name = _normalized(domain)
    try:
        with transaction.atomic():
            made: VerifiedDomain = VerifiedDomain.objects.create(domain=name, challenge=secrets.token_hex(20))
    except IntegrityError as error:
        raise Conflict(f"{name} is in the list already.") from error
    record(Act.SSO_DOMAIN_ADD, object_type="domain", object_id=made.pk, domain=name)
    return made


def check_domain(*, domain_id: UUID) -> VerifiedDomain:
    """Looks for the record now. The row says in `problem` what is missing, or "" when the domain is proved.

    A domain that is proved stays so when its record is gone, until another tenant proves it. Raises NotFound.
    """
    row = _locked(domain_id)
    # One check of a domain at a time in all tenants, or two could both find that nobody else proves it.
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"domain {row.domain}"])
    row.problem, row.checked_at = _problem(row), timezone.now()
    if not row.problem and not holds(row.domain):
        row.verified_at = row.checked_at
    row.save(update_fields=["problem", "checked_at", "verified_at"])
    outcome = ActOutcome.FAILED if row.problem else ActOutcome.DONE
    record(Act.SSO_DOMAIN_CHECK, object_type="domain", object_id=row.pk, outcome=outcome, domain=row.domain)
    return row


def remove_domain(*, domain_id: UUID) -> None:
    """Forgets a domain: nobody signs in with its addresses by single sign-on from now on.

    Raises NotFound, or Conflict where single sign-on is required.
    """
    row = _locked(domain_id)
    require_way_back("Domains can be removed")
    record(Act.SSO_DOMAIN_REMOVE, object_type="domain", object_id=row.pk, domain=row.domain)
    row.delete()


def holds(domain: str) -> bool:
    """Whether the open tenant is the domain's holder now."""
    found = domain_holder(domain)
    return found is not None and found.tenant_id == current_tenant_id()


def domain_of(email: str) -> str:
    """The domain of a normalized address."""
    return email.rpartition("@")[2]


def held_domains() -> list[str]:
    """The domains that the open tenant holds now."""
    proved = VerifiedDomain.objects.exclude(verified_at=None).order_by("domain")
    return [row.domain for row in proved if holds(row.domain)]


def _problem(row: VerifiedDomain) -> str:
    try:
        found = text_records(record_name(row.domain))
    except UnreachableError as error:
        return str(error)
    if record_value(row.challenge) not in found:
        others = f" {len(found)} other there." if found else ""
        return (
            f"No such TXT record at {record_name(row.domain)} yet.{others} Changes of DNS can take an hour."
        )
    holder = domain_holder(row.domain)
    if holder and holder.tenant_id != row.tenant_id and record_value(holder.challenge) in found:
        return (
            "Another tenant's TXT record stands there too, and holds. Remove that record, then check again."
        )
    return ""


def _normalized(domain: str) -> str:
    name = domain.strip().lower().removeprefix("@").rstrip(".")
    if (
        len(name) > LONGEST - len(LABEL) - 1
        or not _DOMAIN.fullmatch(name)
        or name.rpartition(".")[2].isdigit()
    ):
        raise InvalidInput(
            "Enter a domain such as example.org, in ASCII (xn-- for other letters).", field="domain"
        )
    return name


def _locked(domain_id: UUID) -> VerifiedDomain:
    found: VerifiedDomain | None = VerifiedDomain.objects.filter(pk=domain_id).select_for_update().first()
    if found is None:
        raise NotFound("There is no such domain.")
    return found

"""Packages as people ask for them: created, listed, linked, downloaded."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person
from accounts.tenancy.scope import current_tenant_id
from assessments.models import Engagement
from assessments.packages.models import Package, PackageState
from assessments.rule.model import SECURITY_RULE
from evidence import vault
from evidence.models import AwsConnection
from evidence.queue import ring_after_commit

BUILD_PACKAGE = "tasks.package.build_package"
LINK_LASTS = timedelta(hours=24)
MOST_PATTERNS = 50
LONGEST_PATTERN = 300
LISTED = 100
NOTHING = "There is no such package, or its link has expired."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a package is asked to hold. `citations`, `connection_ids`: None for everything."""

    period_from: date
    period_to: date
    engagement_id: UUID | None = None
    citations: Sequence[str] | None = None
    connection_ids: Sequence[UUID] | None = None
    withheld: Sequence[str] = ()
    withheld_reason: str = ""


def plan_package(wanted: Wanted) -> Package:
    """The unsaved row of what is wanted.

    Raises InvalidInput naming the field, and NotFound for an engagement or a connection that isn't there.
    """
    engagement = _engagement(wanted.engagement_id)
    patterns = _clean_patterns(wanted.withheld)
    if patterns and not wanted.withheld_reason.strip():
        raise InvalidInput("Say why fields are withheld; the reader is told.", field="withheld_reason")
    if engagement is not None:
        bounds = (engagement.period_from, engagement.period_to)
        wanted_scope = (engagement.citations, engagement.connection_ids)
    else:
        bounds = (wanted.period_from, wanted.period_to)
        wanted_scope = (_clean_citations(wanted.citations), _clean_connections(wanted.connection_ids))
    if bounds[0] > bounds[1]:
        raise InvalidInput("The period ends before it begins.", field="period_to")
    return Package(
        engagement=engagement, citations=wanted_scope[0], connection_ids=wanted_scope[1],
        period_from=bounds[0], period_to=bounds[1], withheld=patterns,
        withheld_reason=wanted.withheld_reason.strip() if patterns else "",
    )  # fmt: skip


def request_package(*, wanted: Wanted, person: Person) -> Package:
    """Asks for a package, which workers make in the background. Raises as plan_package."""
    package = plan_package(wanted)
    package.requested_by = person
    package.save(force_insert=True)
    record(
        Act.PACKAGE_CREATE, object_type="package", object_id=package.pk,
        engagement=str(package.engagement_id or ""), period_from=package.period_from.isoformat(),
        period_to=package.period_to.isoformat(), patterns_withheld=len(package.withheld),
    )  # fmt: skip
    ring_after_commit(BUILD_PACKAGE, current_tenant_id(), [package.pk])
    return package


def _engagement(engagement_id: UUID | None) -> Engagement | None:
    if engagement_id is None:
        return None
    found: Engagement | None = Engagement.objects.filter(pk=engagement_id).first()
    if found is None:
        raise NotFound("There is no such engagement.")
    return found


def _clean_patterns(patterns: Sequence[str]) -> list[str]:
    given = list(dict.fromkeys(pattern.strip() for pattern in patterns if pattern.strip()))
    if len(given) > MOST_PATTERNS:
        raise InvalidInput(f"Choose at most {MOST_PATTERNS} fields to withhold.", field="withheld")
    wrong = [each for each in given if len(each) > LONGEST_PATTERN or each == "/" or not each.isprintable()]
    if wrong:
        raise InvalidInput(f"{wrong[0][:60]!r} names no field.", field="withheld")
    return given


def _clean_citations(citations: Sequence[str] | None) -> list[str] | None:
    unknown = [citation for citation in citations or () if citation not in SECURITY_RULE]
    if unknown:
        raise InvalidInput(f"The Security Rule has no {unknown[0]}.", field="citations")
    return None if citations is None else list(citations)


def _clean_connections(connection_ids: Sequence[UUID] | None) -> list[UUID] | None:
    if connection_ids is None:
        return None
    if AwsConnection.objects.filter(pk__in=connection_ids).count() != len(set(connection_ids)):
        raise NotFound("There is no such connection.")
    return list(connection_ids)


def list_packages() -> list[Package]:
    """The tenant's packages, newest first."""
    return list(_shown()[:LISTED])


def packages_for(engagement: Engagement) -> list[Package]:
    """What an engagement's auditors see: its packages that are ready, newest first."""
    # Without who asked for them: an auditor's session may not read the tenant's people.
    rows = Package.objects.filter(engagement=engagement, state=PackageState.READY)
    return list(rows.order_by("-requested_at", "-id")[:LISTED])


def find_package(package_id: UUID) -> Package:
    """The package with its engagement and who asked for it. Raises NotFound."""
    found: Package | None = _shown().filter(pk=package_id).first()
    if found is None:
        raise NotFound("There is no such package.")
    return found


def _shown() -> QuerySet[Package]:
    rows: QuerySet[Package] = Package.objects.select_related("engagement").prefetch_related(
        "requested_by"  # apart: an auditor's role reads no people
    )
    return rows.order_by("-requested_at", "-id")


def set_link(package: Package) -> None:
    """Gives an unsaved row its next link: the one before ends at once."""
    package.link_number += 1
    package.token_digest = hashlib.sha256(link_token(package).encode()).digest()
    package.link_expires_at = timezone.now() + LINK_LASTS


LINK_FIELDS = ["link_number", "token_digest", "link_expires_at"]


def renew_link(*, package_id: UUID, person: Person) -> Package:
    """A new link for 24 hours; the one before ends. Raises NotFound, and Conflict where the package isn't ready."""
    package = _mine(package_id, person)
    if package.state != PackageState.READY:
        raise Conflict("The package isn't ready.")
    set_link(package)
    package.save(update_fields=LINK_FIELDS)
    record(Act.PACKAGE_LINK, object_type="package", object_id=package.pk, number=package.link_number)
    return package


def remove_package(*, package_id: UUID, person: Person) -> None:
    """Takes a package back: no link works any more, and its bytes go. Raises NotFound."""
    package = _mine(package_id, person)
    package.due_at, package.keep_until, package.link_expires_at = timezone.now(), timezone.now(), None
    package.save(update_fields=["due_at", "keep_until", "link_expires_at"])
    record(Act.PACKAGE_REMOVE, object_type="package", object_id=package.pk, sha256=package.sha256)
    ring_after_commit(BUILD_PACKAGE, current_tenant_id(), [package.pk])


def _mine(package_id: UUID, person: Person) -> Package:
    found: Package | None = (
        Package.objects.select_for_update().filter(pk=package_id, requested_by=person).first()
    )
    if found is None:
        raise NotFound("There is no such package of yours.")
    return found


def link_token(package: Package) -> str:
    """The token of the package's last link.

    Made of a key that the database doesn't hold, so that it can be shown again to those it is for, while the
    database keeps its digest alone.
    """
    about = f"package link|{package.tenant_id}|{package.pk}|{package.link_number}"
    made = hmac.digest(settings.FIELD_KEY, about.encode(), "sha256")
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def open_download(
    *, token: str, person: Person, engagement: Engagement | None = None
) -> tuple[Package, Iterator[bytes]]:
    """The package of a link and its bytes as a stream, for who asked for it, or an auditor in the engagement given.

    The download is recorded before the first byte. Raises NotFound for anybody and anything else.
    """
    digest = hashlib.sha256(token.encode()).digest()
    found: Package | None = Package.objects.filter(token_digest=digest).first()
    theirs = found and (
        found.requested_by_id == person.pk if engagement is None else found.engagement_id == engagement.pk
    )
    if not found or not theirs or not found.is_open_to_links(timezone.now()):
        raise NotFound(NOTHING)
    return _opened(found)


def open_ready(*, package_id: UUID, person: Person) -> tuple[Package, Iterator[bytes]]:
    """A package and its bytes as a stream, for who asked for it, without a link. Raises NotFound, Conflict."""
    found: Package | None = Package.objects.filter(pk=package_id, requested_by=person).first()
    if found is None:
        raise NotFound("There is no such package of yours.")
    kept = found.keep_until is not None and timezone.now() < found.keep_until
    if found.state != PackageState.READY or not kept:
        raise Conflict("The package isn't ready, or isn't kept any more.")
    return _opened(found)


def _opened(found: Package) -> tuple[Package, Iterator[bytes]]:
    record(
        Act.PACKAGE_DOWNLOAD, object_type="package", object_id=found.pk, sha256=found.sha256,
        size=found.size, link=found.link_number, engagement=str(found.engagement_id or ""),
    )  # fmt: skip
    return found, vault.open_stream(found.kept, context=found.context)

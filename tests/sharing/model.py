"""Random acts of tenants that share, and a plain-Python oracle that says of each what must come of it.

Used by test_oracle.py with some hundreds of acts and by bench/sharing.py with 100,000. It knows nothing of the
portal's rules but what is written here: `Oracle.may_read` is the whole of it.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

import psycopg
import pyotp
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.errors import NotFound
from accounts.models import Membership, Person, Tenant
from accounts.permissions import Role
from accounts.services import create_person, create_tenant
from accounts.services.second_factor import prepare_totp
from accounts.sessions import TENANT
from accounts.tenancy.scope import open_tenant
from assessments.models import BusinessAssociate, Partnership, SharingGrant
from assessments.rule.model import SECURITY_RULE, children
from assessments.sharing.levels import Level
from assessments.sharing.publishing import publish_grants
from assessments.sharing.reading import open_shared
from assessments.sharing.services import Terms, find_upstream, make_grant, revoke_grant

PASSWORD = "seven cold stones in a moss garden"
HOUR = timedelta(hours=1)
READERS = {Role.OWNER, Role.SECURITY_OFFICIAL, Role.CONTRIBUTOR, Role.VIEWER}
TABLES = ("assessments_sharinggrant", "assessments_sharedposture", "assessments_sharedposturepoint")


@dataclass(frozen=True)
class Granted:
    """A grant as the oracle remembers it."""

    pk: UUID
    partnership: UUID
    upstream: UUID
    downstream: UUID
    level: Level
    citations: frozenset[str]
    begins: datetime
    ends: datetime | None
    revoked: bool = False
    history: bool = True
    """Whether it has a point: one that begins later has none before it is published."""

    def holds(self, now: datetime) -> bool:
        return not self.revoked and self.begins <= now and (self.ends is None or now < self.ends)


@dataclass
class Oracle:
    """What was agreed, and who belongs where."""

    grants: dict[UUID, Granted] = field(default_factory=dict)
    partnerships: dict[UUID, tuple[UUID, UUID]] = field(default_factory=dict)
    """Upstream and downstream party of those that stand."""
    roles: dict[UUID, Role | None] = field(default_factory=dict)
    standing: dict[UUID, UUID] = field(default_factory=dict)
    """The grant that was not revoked, by partnership."""

    def may_read(self, tenant: UUID, grant: UUID) -> bool:
        """Consent that holds, given to this tenant, in a partnership that stands."""
        found = self.grants.get(grant)
        return (
            found is not None
            and found.upstream == tenant
            and found.holds(timezone.now())
            and found.partnership in self.partnerships
        )

    def rows(self, tenant: UUID) -> set[UUID]:
        """The grants whose rows a tenant gets by any SQL: its own, and those that hold for it."""
        own = {pk for pk, each in self.grants.items() if each.downstream == tenant}
        return own | {each.pk for each in self.holding() if each.upstream == tenant}

    def holding(self) -> list[Granted]:
        """The grants that hold now."""
        now = timezone.now()
        return [self.grants[pk] for pk in self.standing.values() if self.grants[pk].holds(now)]

    def add(self, made: Granted) -> None:
        """Remembers a grant, and that the one before it in the partnership is revoked."""
        if made.partnership in self.standing:
            self.end(self.standing[made.partnership])
        self.grants[made.pk] = made
        self.standing[made.partnership] = made.pk

    def end(self, pk: UUID) -> None:
        """Remembers that a grant is revoked."""
        self.grants[pk] = replace(self.grants[pk], revoked=True)
        self.standing.pop(self.grants[pk].partnership, None)


@dataclass(frozen=True)
class Member:
    person: Person
    tenant: UUID
    client: Client


class World:
    """Tenants, people, and the acts; `run` does as many as are asked and compares each with the oracle."""

    def __init__(
        self, seed: int, superuser: str, *, upstreams: int = 2, downstreams: int = 3, http: float = 0.1
    ):
        self.chance = random.Random(seed)
        self.superuser = psycopg.connect(superuser, autocommit=True)
        self.superuser.execute(
            "set session_replication_role = replica"
        )  # to move times, which nobody else may
        self.oracle, self.done, self.http = Oracle(), Counter[str](), http
        self.upstreams = [_tenant("covered_entity") for _ in range(upstreams)]
        self.downstreams = [_tenant("business_associate") for _ in range(downstreams)]
        self.granter = create_person(email=f"{uuid4().hex}@example.org", name="Ada", password=PASSWORD)
        self.members = [self._member(tenant) for tenant in self.upstreams for _ in range(2)]
        for upstream in self.upstreams:
            for downstream in self.downstreams:
                self._found(upstream, downstream)
        self.reading: list[tuple[Member, UUID, str]] = []
        """Who is in the middle of which paged reading, and the key of the next page."""
        self.ended: list[UUID] = []
        self.known: list[UUID] = []

    def close(self) -> None:
        self.superuser.close()

    def run(self, operations: int) -> Counter[str]:
        acts: list[tuple[Callable[[], None], float]] = [
            (self.read, 50), (self.read_by_http, 60 * self.http), (self.turn_page, 40 * self.http), (self.read_rows, 12), (self.grant, 8), (self.revoke, 6),
            (self.begin, 3), (self.expire, 3), (self.change_role, 3), (self.leave, 1), (self.publish, 2),
            (self.end_partnership, 1), (self.found_partnership, 1), (self.grant_without, 1),
        ]  # fmt: skip
        for act in self.chance.choices(
            [act for act, _ in acts], [weight for _, weight in acts], k=operations
        ):
            act()
            self.done[act.__name__] += 1
        return self.done

    # Reads

    def read(self) -> None:
        tenant, grant = self._anybody(), self._any_grant()
        if grant in self.oracle.grants and self.chance.random() < 0.5:
            tenant = self.oracle.grants[grant].upstream
        allowed = self.oracle.may_read(tenant, grant)
        try:
            with open_tenant(tenant):
                posture = open_shared(grant)
        except NotFound:
            assert not allowed, ("refused what is allowed", tenant, grant)
            self.done["refused"] += 1
            return
        assert allowed, ("shown what is not allowed", tenant, grant)
        said = self.oracle.grants[grant]
        assert {each["citation"] for each in posture.statuses} == said.citations
        assert posture.level == said.level
        assert bool(posture.statuses[0].get("why")) == (said.level >= Level.COUNTS)
        assert said.level >= Level.FINDINGS or not posture.findings
        assert said.level >= Level.EVIDENCE or not posture.evidence
        self.done["shown"] += 1

    def read_by_http(self) -> None:
        grant, member = self._any_grant(), self.chance.choice(self.members)
        if grant in self.oracle.grants and self.chance.random() < 0.8:
            upstream = self.oracle.grants[grant].upstream
            member = self.chance.choice([each for each in self.members if each.tenant == upstream])
        self._open_page(member, grant)

    def turn_page(self) -> None:
        """Goes on with a paged reading that began some acts ago; what held then may have ended since."""
        if self.reading:
            member, grant, after = self.reading.pop(self.chance.randrange(len(self.reading)))
            self._open_page(member, grant, after)

    def _open_page(self, member: Member, grant: UUID, after: str = "") -> None:
        role = self.oracle.roles[member.person.pk]
        session = member.client.session
        session[TENANT] = str(member.tenant)
        session.save()
        answer = member.client.get(f"/shared-with-us/{grant}/", {"after": after} if after else {})
        allowed = self.oracle.may_read(member.tenant, grant)
        expected = 302 if role is None else 200 if role in READERS and allowed else 404
        assert answer.status_code == expected, (answer.status_code, expected, role, allowed, after)
        self.done[f"{'next page' if after else 'HTTP'} {answer.status_code}"] += 1
        following = re.search(r'rel="next" href="[^"]*after=([^"&]+)"', answer.content.decode())
        if following:
            self.reading.append((member, grant, unquote(following[1])))

    def read_rows(self) -> None:
        # What a tenant shows itself is many rows and seldom wrong.
        tenant = self.chance.choice(self.upstreams if self.chance.random() < 0.9 else self.downstreams)
        wanted = self.oracle.rows(tenant)
        with open_tenant(tenant), connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"select distinct {'id' if table == TABLES[0] else 'grant_id'} from {table}")
                found = {row[0] for row in cursor.fetchall()}
                begun = (
                    {pk for pk in wanted if self.oracle.grants[pk].history} if table == TABLES[2] else wanted
                )
                assert found == begun, (table, len(found), len(begun))

    # Acts of the party that shows

    def grant(self) -> None:
        if not self.oracle.partnerships:
            return
        pk, (upstream, downstream) = self.chance.choice(list(self.oracle.partnerships.items()))
        now = timezone.now()
        begins = self.chance.choice([None, None, None, now + HOUR])
        ends = self.chance.choice([None, (begins or now) + HOUR])
        leaves = [each for each in SECURITY_RULE if not children(each)]
        # Half of them have two pages or three.
        number = self.chance.choice([1, 5, len(leaves), len(leaves)])
        citations = tuple(self.chance.sample(leaves, number))
        terms = Terms(self.chance.choice(list(Level)), citations, begins, ends)
        with open_tenant(downstream):
            made = make_grant(partnership=find_upstream(pk), terms=terms, by=self.granter)
        self.known.append(made.pk)
        self.oracle.add(Granted(
            made.pk, pk, upstream, downstream, terms.level, frozenset(citations), made.shown_from, ends, history=begins is None
        ))  # fmt: skip

    def grant_without(self) -> None:
        """In a partnership that has ended, or is another's: there is no such partnership."""
        tenant = self._anybody()
        pk = self.chance.choice([*self.oracle.partnerships, *self.ended, uuid4()])
        allowed = self.oracle.partnerships.get(pk, (None, None))[1] == tenant
        try:
            with open_tenant(tenant):
                find_upstream(pk)
        except NotFound:
            assert not allowed
        else:
            assert allowed

    def revoke(self) -> None:
        grant, tenant = self._any_grant(), self._anybody()
        said = self.oracle.grants.get(grant)
        if said and self.chance.random() < 0.7:
            tenant = said.downstream
        allowed = said is not None and said.downstream == tenant and not said.revoked
        try:
            with open_tenant(tenant):
                revoke_grant(grant_id=grant)
        except NotFound:
            assert not allowed, "not revoked"
        else:
            assert allowed, "revoked by somebody else, or twice"
            self.oracle.end(grant)

    def publish(self) -> None:
        tenant = self.chance.choice(self.downstreams)
        with open_tenant(tenant):
            publish_grants()
        for each in self.oracle.holding():
            if each.downstream != tenant:
                continue
            if each.partnership in self.oracle.partnerships:
                self.oracle.grants[each.pk] = replace(each, history=True)
            else:
                self.oracle.end(each.pk)

    # Time and people

    def begin(self) -> None:
        self._move(lambda each: each.begins > timezone.now(), "shown_from", timedelta(0), "begins")

    def expire(self) -> None:
        self._move(lambda each: each.holds(timezone.now()), "shown_until", -timedelta(seconds=1), "ends")

    def _move(self, fits: Callable[[Granted], bool], column: str, by: timedelta, name: str) -> None:
        """As if time had passed: PostgreSQL's clock decides, which can't be set."""
        standing = [self.oracle.grants[pk] for pk in self.oracle.standing.values()]
        fitting = [each for each in standing if fits(each)]
        if not fitting:
            return
        grant, at = self.chance.choice(fitting), timezone.now() + by
        for table in TABLES:
            key = "id" if table == TABLES[0] else "grant_id"
            self.superuser.execute(f"update {table} set {column} = %s where {key} = %s", [at, grant.pk])
        changed: dict[str, Any] = {name: at}
        self.oracle.grants[grant.pk] = replace(grant, **changed)

    def change_role(self) -> None:
        member = self.chance.choice(self.members)
        role = self.chance.choice([*READERS, Role.AUDITOR])
        with open_tenant(member.tenant):
            Membership.objects.update_or_create(person=member.person, defaults={"role": role})
        self.oracle.roles[member.person.pk] = role

    def leave(self) -> None:
        member = self.chance.choice(self.members)
        with open_tenant(member.tenant):
            Membership.objects.filter(person=member.person).delete()
        self.oracle.roles[member.person.pk] = None

    def end_partnership(self) -> None:
        if not self.oracle.partnerships:
            return
        pk, (upstream, _downstream) = self.chance.choice(list(self.oracle.partnerships.items()))
        with open_tenant(upstream):
            assert Partnership.objects.filter(pk=pk).update(withdrawn_at=timezone.now()) == 1
        self.oracle.partnerships.pop(pk)
        self.ended.append(pk)

    def found_partnership(self) -> None:
        """Of two that have none; what was granted in an earlier one is not granted in this."""
        standing = set(self.oracle.partnerships.values())
        apart = [(u, d) for u in self.upstreams for d in self.downstreams if (u, d) not in standing]
        if apart:
            self._found(*self.chance.choice(apart))

    # Makers

    def _found(self, upstream: UUID, downstream: UUID) -> None:
        with open_tenant(upstream):
            associate = BusinessAssociate.objects.create(reference=uuid4().hex, name="Billing")
            made = Partnership.objects.create(
                associate=associate, viewer_id=downstream, upstream_name="Hospital", downstream_name="Billing"
            )
        self.oracle.partnerships[made.pk] = (upstream, downstream)

    def _member(self, tenant: UUID) -> Member:
        person = create_person(email=f"{uuid4().hex}@example.org", name="Ada", password=PASSWORD)
        with open_tenant(tenant):
            Membership.objects.create(person=person, role=Role.VIEWER)
        self.oracle.roles[person.pk] = Role.VIEWER
        return Member(person, tenant, signed_in(person))

    def _anybody(self) -> UUID:
        return self.chance.choice([*self.upstreams, *self.upstreams, *self.downstreams])

    def _any_grant(self) -> UUID:
        """Mostly one that holds; also those that are over, and ids that nobody has."""
        draw, holding = self.chance.random(), self.oracle.holding()
        if holding and draw < 0.7:
            return self.chance.choice(holding).pk
        return self.chance.choice(self.known) if self.known and draw < 0.95 else uuid4()


def _tenant(kind: str) -> UUID:
    made: Tenant = create_tenant(name=f"T {uuid4().hex[:8]}", slug=uuid4().hex, kind=kind)  # type: ignore[arg-type] # its value
    return made.pk


def signed_in(person: Person) -> Client:
    device = prepare_totp(person=person)
    device.confirmed = True
    device.save()
    client = Client(HTTP_HOST="localhost")
    client.post("/sign-in/", {"email": person.email, "password": PASSWORD})
    answer = client.post("/sign-in/code/", {"code": pyotp.TOTP(device.secret).at(int(time.time()))})
    assert answer.status_code == 302, answer.content
    return client


def standing_grants(tenant: UUID) -> int:
    """How many grants a tenant has that were not revoked."""
    with open_tenant(tenant):
        return int(SharingGrant.objects.filter(withdrawn_at=None).count())

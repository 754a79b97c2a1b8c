"""Another tenant's ids open nothing: in every address, query and form, by every method, for every role.

A tenant's member who knows the ids of another one gets the answer that a random id gets, byte for byte; the other
tenant's rows stay as they were; and the member's own log says that they tried. A new address with an id, or a new
field of a query or form, fails here until the tables below say what it takes.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4
from zlib import crc32

import pytest
from django.core import signing
from django.test import Client

from accounts.access import Access, Gate
from accounts.audit.events import ActOutcome
from accounts.models import AuditEntry, Membership
from accounts.permissions import MEMBER_ROLES, Permission, Role, allows
from accounts.sessions import TENANT
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_ready_person, sign_in
from tests.architecture.everything import (
    METHODS,
    ROUTES,
    TENANT_MODELS,
    Everything,
    TenantDigests,
    make_everything,
    names_asked,
)
from tests.architecture.foreign_ids import BODIES, IDS, KINDS, NOBODYS, OTHERWISE, WORDS, Kind
from tests.engagements.factories import name_in

pytestmark = pytest.mark.django_db(transaction=True)


FOR_MACHINES = {route for route in ROUTES if ROUTES[route].callback.access.gate is Gate.MACHINE}
"""What members don't reach at all; other tenants' ids there are the matter of tests/accounts/test_scim.py."""
FOR_PEOPLE = set(ROUTES) - FOR_MACHINES
WITH_IDS = sorted(route for route in FOR_PEOPLE if set(ROUTES[route].pattern.converters) & set(KINDS))
WITHOUT_IDS = sorted(
    route
    for route in FOR_PEOPLE
    if route not in WITH_IDS and "token" not in route and not route.startswith("sign-")
)
VOLATILE = re.compile(rb"value=\"[A-Za-z0-9]{64}\"|nonce=\"[^\"]*\"")


@dataclass(frozen=True)
class Actor:
    """A member of tenant B."""

    name: str
    role: Role
    client: Client
    person_id: object


QUERIERS = {"Owner", "Auditor", "Owner of both, at work in B"}
"""Who together read what all the others read."""


@dataclass(frozen=True)
class World:
    """Tenant A, tenant B, and B's members."""

    a: Everything
    b: Everything
    actors: tuple[Actor, ...]
    visitor: Client
    """An owner of B whose session no other test relies on."""
    a_rows: TenantDigests
    vault: Any
    asked: dict[str, set[str]] = field(default_factory=dict)
    """What the views were seen to ask for, by address."""


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[World]:
    from django.test import override_settings

    directory = tmp_path_factory.mktemp("vault")
    with django_db_blocker.unblock(), override_settings(VAULT_DIRECTORY=directory):
        a, b = make_everything(), make_everything()
        rows = TenantDigests(a)
        yield World(
            a, b, tuple(_actors(a, b)), sign_in(make_ready_person(Role.OWNER, b.tenant)), rows, directory
        )
        rows.close()


def _actors(a: Everything, b: Everything) -> Iterator[Actor]:
    for role in MEMBER_ROLES:
        person = make_ready_person(role, b.tenant)
        if role is Role.AUDITOR:
            with open_tenant(b.tenant.pk):
                name_in(b.engagement, person)
        yield Actor(role.label, role, sign_in(person), person.pk)
    both = make_ready_person(Role.OWNER, a.tenant)
    with open_tenant(b.tenant.pk):
        Membership.objects.create(person=both, role=Role.OWNER)
    client = sign_in(both)
    session = client.session
    session[TENANT] = str(b.tenant.pk)
    session.save()
    yield Actor("Owner of both, at work in B", Role.OWNER, client, both.pk)


@pytest.fixture(autouse=True)
def _vault_of_the_world(world, vault_directory, settings):
    settings.VAULT_DIRECTORY = world.vault


def _path(route: str, values: dict[str, object]) -> str:
    given = {**{name: sample for name, (sample, _why) in NOBODYS.items()}, **values}
    return "/" + re.sub(r"<\w+:(\w+)>", lambda match: str(given[match[1]]), route)


def _ask(client: Client, method: str, path: str, body: dict[str, str] | None = None) -> Any:
    client.cookies.pop("messages", None)  # of the act before: shown once, by whatever page comes first
    arguments = [body or {}] if method == "POST" else []
    return getattr(client, method.lower())(path, *arguments)


def _seen(answer: Any, *given: object) -> tuple[int, bytes, dict[str, str]]:
    """An answer without what differs between any two requests."""
    packed = answer.headers.get("Content-Type", "").startswith("application/vnd.openxmlformats")
    content = b"" if packed else answer.content  # a workbook holds the time of its making
    for value in (*given, answer.headers["X-Request-ID"]):
        content = content.replace(str(value).encode(), b"GIVEN")
    headers = {
        name: value
        for name, value in answer.items()
        if name not in {"X-Request-ID", "Content-Length", "Content-Security-Policy"}
    }
    for value in given:
        headers = {name: text.replace(str(value), "GIVEN") for name, text in headers.items()}
    return answer.status_code, VOLATILE.sub(b"", content), headers


def _difference(
    one: tuple[int, bytes, dict[str, str]], other: tuple[int, bytes, dict[str, str]]
) -> list[str]:
    before, after = (
        [str(seen[0]), *seen[1].decode(errors="replace").splitlines(), str(seen[2])] for seen in (one, other)
    )
    return list(difflib.unified_diff(before, after, n=0))


def _mixtures(route: str) -> Iterator[tuple[str, ...]]:
    """Every choice of the address's ids that are another tenant's; the others are the asker's own."""
    names = list(_kinds(route))
    for size in range(1, len(names) + 1):
        yield from itertools.combinations(names, size)


def _values(
    route: str, world: World, foreign: tuple[str, ...], pick: Callable[[Kind], object]
) -> dict[str, object]:
    kinds = _kinds(route)
    return {name: pick(kind) if name in foreign else kind.of(world.b) for name, kind in kinds.items()}


def _kinds(route: str) -> dict[str, Kind]:
    """The ids of tenants' things that the address takes."""
    return {
        name: OTHERWISE.get((route, name), KINDS[name])
        for name in ROUTES[route].pattern.converters
        if name in KINDS
    }


def _own_path(route: str, world: World) -> str:
    return _path(route, {name: kind.of(world.b) for name, kind in _kinds(route).items()})


def _refusals(world: World, answer: Any, actor: Actor) -> int:
    with open_tenant(world.b.tenant.pk):
        return AuditEntry.objects.filter(
            outcome=ActOutcome.REFUSED,
            request_id=answer["X-Request-ID"],
            actor_id=str(actor.person_id),
        ).count()


def _without_own_acts(route: str, rows: dict[str, Any]) -> dict[str, Any]:
    """What somebody does with their own account stands in the log of every tenant that they belong to, so in A's."""
    own = _need(route).permission is None and _need(route).gate is Gate.VERIFIED
    return {table: row for table, row in rows.items() if not own or table != "accounts_auditentry"}


def _need(route: str, method: str = "GET") -> Access:
    view: Any = ROUTES[route].callback
    found: Access = view.access
    return found.for_method(method)


def _expected(actor: Actor, route: str, method: str, answered: set[str]) -> int:
    need = _need(route, method)
    if need.permission is not None and not allows(actor.role, need.permission):
        return 404 if actor.role is Role.AUDITOR else 403
    return 404 if method in answered else 405


def _askers(world: World, route: str) -> list[Actor]:
    """Who tries every method first; then two of the others in turn, and always the auditor and who is at home in A too."""
    first = next(each for each in world.actors if each.role is _first(route))
    always = [
        each for each in world.actors if each.role is Role.AUDITOR or each.name.startswith("Owner of both")
    ]
    if route.startswith(
        "api/"
    ):  # what roles see there differs by permission alone, which tests/architecture/test_access.py tries
        return [first, *(each for each in always if each is not first)]
    others = [each for each in world.actors if each is not first and each not in always]
    turn = crc32(route.encode()) % len(others)
    return [first, *(each for each in always if each is not first), others[turn], others[turn - 1]]


def _methods(actor: Actor, route: str, answered: set[str]) -> Sequence[str]:
    """All of them for a role that may; what was answered then for the others, of which one is enough to be refused."""
    if actor.role is _first(route):
        return METHODS
    need = _need(route).permission
    return sorted(answered)[: None if need is None or allows(actor.role, need) else 1]


def _first(route: str) -> Role:
    """Who tries every method: a role that may."""
    return Role.AUDITOR if _need(route).permission is Permission.ENGAGEMENT_AUDIT else Role.OWNER


def test_every_kind_of_id_in_an_address_is_known():
    unknown = (
        {name for route in ROUTES.values() for name in route.pattern.converters} - set(KINDS) - set(NOBODYS)
    )
    assert unknown == set(), "say in KINDS how to make one of another tenant, or in NOBODYS why there is none"


def test_the_other_tenant_has_a_row_of_every_kind(world):
    rows = world.a_rows.read()
    assert set(rows) >= {model._meta.db_table for model in TENANT_MODELS}
    assert [table for table, (number, _digest) in rows.items() if not number] == []


@pytest.mark.parametrize("route", WITH_IDS)
def test_another_tenants_id_is_a_random_id(route, world):
    before = world.a_rows.read()
    answered: set[str] = set()
    for actor, foreign in itertools.product(_askers(world, route), _mixtures(route)):
        theirs = _values(route, world, foreign, lambda kind: kind.of(world.a))
        nobodys = _values(route, world, foreign, lambda kind: kind.nobody())
        path, random_path = _path(route, theirs), _path(route, nobodys)
        for method in _methods(actor, route, answered):
            answer = _ask(actor.client, method, path, BODIES.get(route))
            random_answer = _ask(actor.client, method, random_path, BODIES.get(route))
            if answer.status_code not in {403, 405}:
                answered.add(method)
            case = f"{actor.name}: {method} with {foreign} of another tenant"
            assert answer.status_code == _expected(actor, route, method, answered), case
            seen = _seen(answer, *theirs.values()), _seen(random_answer, *nobodys.values())
            assert _difference(*seen) == [], case
            refused = answer.status_code >= 400 and _need(route).gate is not Gate.OPERATOR
            assert _refusals(world, answer, actor) == refused, case
    assert answered, "no method was answered"
    assert _without_own_acts(route, world.a_rows.read()) == _without_own_acts(route, before)


@pytest.mark.parametrize("route", WITHOUT_IDS)
def test_every_field_of_a_query_or_form_is_known(route, world):
    with names_asked() as asked:
        world.visitor.get(_path(route, {}))
        world.visitor.post(_path(route, {}), {"name": "x"})
    assert asked <= WORDS | set(IDS), "say in IDS or WORDS what this field takes"


def _asked(world: World, route: str) -> set[str]:
    """The fields of the query that the address's view asks for."""
    if route not in world.asked:
        auditors = _need(route).permission is Permission.ENGAGEMENT_AUDIT
        with names_asked() as asked:
            _opener(world, route).get(_path(route, {})) if auditors else world.visitor.get(_path(route, {}))
        world.asked[route] = asked
    return world.asked[route]


@pytest.mark.parametrize("name", sorted(IDS))
def test_another_tenants_id_in_a_query_is_a_random_id(name, world):
    before, kind = world.a_rows.read(), IDS[name]
    for actor, route in itertools.product(
        [each for each in world.actors if each.name in QUERIERS], WITHOUT_IDS
    ):
        if name == "tenant" and actor.name.startswith("Owner of both"):
            continue  # their switch to A holds A's id
        need = _need(route)
        if (
            need.permission is None
            or not allows(actor.role, need.permission)
            or name not in _asked(world, route)
        ):
            continue
        theirs, nobodys = kind.of(world.a), kind.nobody()
        answers = [actor.client.get(_path(route, {}), {name: value}) for value in (theirs, nobodys)]
        seen = [_seen(answer, value) for answer, value in zip(answers, (theirs, nobodys), strict=True)]
        if route not in {"audit/", "api/v1/audit-entries"} or name == "after":
            assert _difference(*seen) == [], f"{actor.name} at {route}"
        assert world.a.mark not in _shown(world, actor, answers[0]), f"{actor.name} at {route}"
        assert answers[0].status_code in {200, 302, 400, 404, 405}
    assert world.a_rows.read() == before


def test_the_log_shows_nothing_of_another_tenant_by_any_filter(world):
    before = world.a_rows.read()
    for name, value in (
        ("actor", world.a.owner.pk),
        ("actor", world.a.owner.email),
        ("object", world.a.connection.pk),
        ("object", world.a.owner.pk),
    ):
        answer = world.b.client.get("/audit/", {name: value})
        assert answer.status_code == 200
        # What B's own people asked in vain stands there, with the ids that they typed.
        assert {line.entry.tenant_id for line in answer.context["lines"]} <= {world.b.tenant.pk}
        assert world.a.mark not in answer.content.decode()
    assert world.a_rows.read() == before


def test_a_page_key_of_another_tenants_log_is_no_key(world):
    key = signing.dumps(str(world.a.entry.pk), salt=f"audit log of {world.a.tenant.pk}")
    own = signing.dumps(str(world.b.entry.pk), salt=f"audit log of {world.b.tenant.pk}")
    answers = [world.b.client.get("/audit/", {"after": after}) for after in (key, own, f"{key}x")]
    assert [answer.status_code for answer in answers] == [400, 200, 400]


@pytest.mark.parametrize("name", sorted(set(IDS) | {"id", "pk", "tenant_id", "membership_id", "person"}))
def test_another_tenants_id_in_a_form_does_nothing(name, world):
    """Also under names that no form has, which mass assignment would take."""
    before = world.a_rows.read()
    value = IDS[name].of(world.a) if name in IDS else world.a.tenant.pk
    fit = {
        "name": "Annex",
        "aws_account_id": "9" * 12,
        "regions": "us-east-1",
        "email": "x@example.org",
        "role": "viewer",
        "theme": "dark",
    }
    for actor in world.actors:
        if actor.name.startswith("Owner of both"):
            continue  # may go into A, and the next test shows that the others may not
        for route in (
            "tenants/switch/",
            "members/invite/",
            "connections/new/",
            "profile/name/",
            "profile/theme/",
        ):
            answer = _ask(actor.client, "POST", f"/{route}", {**fit, name: str(value)})
            assert answer.status_code < 500
            if name == "tenant" and route == "tenants/switch/":
                random_answer = _ask(actor.client, "POST", "/tenants/switch/", {"tenant": str(uuid4())})
                assert _difference(_seen(answer, value), _seen(random_answer)) == [], actor.name
                assert (answer.status_code, _refusals(world, answer, actor)) == (404, 1), actor.name
        assert actor.client.session[TENANT] == str(world.b.tenant.pk), actor.name
    assert world.a_rows.read() == before


def test_no_page_shows_anything_of_another_tenant(world):
    all_readers = [actor for actor in world.actors if actor.name in QUERIERS]
    for actor, route in itertools.product(all_readers, [*WITHOUT_IDS, *WITH_IDS]):
        answer = actor.client.get(_own_path(route, world))
        assert answer.status_code in {200, 204, 302, 403, 404, 405, 409}, (actor.name, route)
        for value in (
            world.a.mark,
            world.a.owner.email,
            world.a.connection.aws_account_id,
            world.a.invitation.invitation.email,
        ):
            assert value not in _shown(world, actor, answer), f"{actor.name} at {route}"


def _shown(world: World, actor: Actor, answer: Any) -> str:
    shown = f"{answer.content.decode(errors='replace')} {answer.headers}"
    # The switch offers their other tenant by name to who belongs to both.
    return shown.replace(world.a.tenant.name, "") if actor.name.startswith("Owner of both") else shown


NOT_YET = {
    "api/v1/packages/<uuid:package_id>/content": 404,  # nobody has built it
    "api/v1/engagement/submissions/<uuid:document_id>/content": 404,  # its bytes aren't kept
    "auditor/<uuid:engagement_id>/documents/<uuid:document_id>/download/": 404,  # as above
    "submissions/<uuid:submission_id>/download/": 404,  # it was refused, and isn't kept
    "notices/received/<uuid:notice_id>/": 404,  # the sender's own row: tests/notices open what is received
    "notices/timelines/<uuid:timeline_id>/signature.txt": 404,  # no sealer runs here
    "questionnaires/received/<uuid:received_questionnaire_id>/workbook/<uuid:workbook_id>/": 404,  # it was sent away
    "subcontractors/<uuid:partnership_id>/<uuid:associate_id>/name/": 409,  # nothing is told yet that could be named
    "verifications/<uuid:packet_id>/package.zip": 404,  # nobody has certified it
}
"""What doesn't open in this state; each has tests of its own that open it."""


def test_each_address_opens_with_the_own_tenants_ids(world):
    """Otherwise the refusals above could come from anything."""
    opened = {route for route in WITH_IDS if _opens(world, route)}
    posts = {route for route in WITH_IDS if route not in opened and _need(route).gate is Gate.VERIFIED}
    posts = {route for route in posts if "token" not in ROUTES[route].pattern.converters}  # secrets of links
    statuses = {route: _opener(world, route).get(_own_path(route, world)).status_code for route in posts}
    assert {route: status for route, status in statuses.items() if status != 405} == NOT_YET


def _opener(world: World, route: str) -> Client:
    """Somebody of B whom the address lets in."""
    auditors = _need(route).permission is Permission.ENGAGEMENT_AUDIT
    return (
        next(each.client for each in world.actors if each.name == "Auditor") if auditors else world.b.client
    )


def _opens(world: World, route: str) -> bool:
    return _opener(world, route).get(_own_path(route, world)).status_code in {200, 204}


def test_a_link_for_somebody_else_gives_a_signed_in_member_nothing(world):
    """The token is a secret that one address was sent; here it has leaked to a member of another tenant."""
    before, path = world.a_rows.read(), f"/invitations/{world.a.invitation.token}/"
    for actor in world.actors[:-1]:
        assert [actor.client.get(path).status_code, actor.client.post(path).status_code] == [409, 409]
        assert actor.client.get("/invitations/" + "x" * 43 + "/").status_code == 404
    after = world.a_rows.read()
    changed = {table for table, row in after.items() if row != before[table]}
    assert changed == {"accounts_auditentry"}, "the tenant's log says who looked"


def test_a_member_who_left_reaches_nothing_more(world):
    person = make_ready_person(Role.OWNER, world.a.tenant)
    client = sign_in(person)
    assert client.get(f"/connections/{world.a.connection.pk}/").status_code == 200
    with open_tenant(world.a.tenant.pk):
        Membership.objects.filter(person=person).delete()
    answer = client.get(f"/connections/{world.a.connection.pk}/")
    assert (answer.status_code, answer.headers["Location"].startswith("/tenants/")) == (302, True)
    assert client.post(f"/connections/{world.a.connection.pk}/collect/").status_code == 404


def test_the_table_of_permissions_is_what_refuses_here():
    assert {_need(route).permission for route in WITH_IDS} <= {*Permission, None}

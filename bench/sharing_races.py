"""Sharing, raced: one invitation accepted by 100 at the same moment, and a grant revoked while it is read page by page.

Each round has its own invitation: 100 threads, each with a connection of its own, pass a barrier and accept; one of
them is to succeed, one partnership to stand, and both logs to say so once. Then six sessions turn the pages of a posture
over HTTP without a pause while it is revoked at a random moment: what was asked before the revocation is answered, and
nothing that is asked after the revocation's answer. PostgreSQL is as durable as a real one.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import kit

RACERS, ROUNDS = 100, 20
READERS, REVOCATIONS = 6, 100


def invitations(rounds: int) -> dict[str, Any]:
    """How often an invitation was taken up by other than exactly one; and seconds."""
    from tests.partnerships.kit import make_hospital, make_token, make_vendor

    vendors = [make_vendor() for _ in range(2)]
    person = vendors[0].official
    join_as_owner(vendors[1].tenant.pk, person)
    wrong, started = 0, time.perf_counter()
    with ThreadPoolExecutor(RACERS) as pool:
        for _ in range(rounds):
            hospital = make_hospital()
            start = threading.Barrier(RACERS)
            token = make_token(hospital, person.email)
            tenants = [vendors[number % 2].tenant.pk for number in range(RACERS)]
            results = Counter(
                pool.map(lambda tenant, s=start, t=token: accept(s, t, person, tenant), tenants)
            )
            wrong += not (
                results["done"] == 1
                and partnerships(hospital.tenant.pk) == 1
                and begun(hospital.tenant.pk) == 1
            )
    return {
        "invitations": rounds, "racers": RACERS, "not once": wrong, "seconds": round(time.perf_counter() - started, 1)
    }  # fmt: skip


def join_as_owner(tenant_id: UUID, person: Any) -> None:
    from accounts.models import Membership
    from accounts.permissions import Role
    from accounts.tenancy.scope import open_tenant

    with open_tenant(tenant_id):
        Membership.objects.create(person=person, role=Role.OWNER)


def accept(start: threading.Barrier, token: str, person: Any, tenant_id: UUID) -> str:
    """What became of one acceptance."""
    from django.db import connection, connections

    from accounts.errors import PortalError
    from assessments.partnerships.services import accept_offer

    connection.ensure_connection()
    start.wait(timeout=120)
    try:
        accept_offer(token=token, person=person, tenant_id=tenant_id)
    except PortalError:
        return "refused"
    finally:
        connections.close_all()
    return "done"


def partnerships(tenant_id: UUID) -> int:
    from accounts.tenancy.scope import open_tenant
    from assessments.models import Partnership

    with open_tenant(tenant_id):
        return Partnership.objects.filter(withdrawn_at=None).count()


def begun(tenant_id: UUID) -> int:
    from accounts.audit.events import Act
    from accounts.models import AuditEntry
    from accounts.tenancy.scope import open_tenant

    with open_tenant(tenant_id):
        return AuditEntry.objects.filter(act=Act.PARTNERSHIP_BEGIN).count()


def revocations(rounds: int) -> dict[str, Any]:
    """Answers to those who turn pages: before, during and after a revocation."""
    from accounts.tenancy.scope import open_tenant
    from assessments.rule.model import SECURITY_RULE
    from assessments.sharing.levels import Level
    from assessments.sharing.services import Terms, make_grant, revoke_grant
    from tests.partnerships.kit import make_hospital, make_vendor

    hospital, vendor = make_hospital(), make_vendor()
    partnership = join(hospital, vendor)
    found, started = Counter[str](), time.perf_counter()
    with ThreadPoolExecutor(READERS) as pool:
        for _ in range(rounds):
            with open_tenant(vendor.tenant.pk):
                grant = make_grant(
                    partnership=partnership,
                    terms=Terms(Level.COUNTS, tuple(SECURITY_RULE)),
                    by=vendor.official,
                )
            asked = [pool.submit(read_on, hospital.client, grant.pk) for _ in range(READERS)]
            time.sleep(random.uniform(0.05, 0.4))
            begins = time.perf_counter()
            with open_tenant(vendor.tenant.pk):
                revoke_grant(grant_id=grant.pk)
            ends = time.perf_counter()
            for each in asked:
                found.update(judged(each.result(timeout=120), begins, ends))
    return {
        "revocations": rounds,
        "readers": READERS,
        **found,
        "seconds": round(time.perf_counter() - started, 1),
    }


def join(hospital: Any, vendor: Any) -> Any:
    """The partnership of the two, as the vendor has it."""
    from accounts.tenancy.scope import open_tenant
    from assessments.models import Partnership
    from assessments.partnerships.services import accept_offer
    from tests.partnerships.kit import make_token

    accept_offer(
        token=make_token(hospital, vendor.official.email), person=vendor.official, tenant_id=vendor.tenant.pk
    )
    with open_tenant(vendor.tenant.pk):
        return Partnership.received.get()


Asked = tuple[float, float, int]


def read_on(session: Any, grant_id: UUID) -> list[Asked]:
    """Turns pages, from the first again after the last, until one is refused: when each was asked, answered, and how."""
    from django.db import connections
    from django.test import Client

    client = Client()
    client.cookies.update(session.cookies)
    asked: list[Asked] = []
    path = f"/shared-with-us/{grant_id}/"
    query = ""
    while not asked or asked[-1][2] == 200:
        begins = time.perf_counter()
        answer = client.get(f"{path}{query}")
        asked.append((begins, time.perf_counter(), answer.status_code))
        following = re.search(r'rel="next" href="([^"]+)"', answer.content.decode())
        query = following[1].replace("&amp;", "&") if following else ""
    connections.close_all()
    return asked


def judged(asked: list[Asked], begins: float, ends: float) -> Counter[str]:
    """`shown too late`: asked once the revocation stood; `refused too early`: answered before it began."""
    found: Counter[str] = Counter({"shown too late": 0, "refused too early": 0})
    for start, end, status in asked:
        found[f"answered {status}"] += 1
        found["shown too late"] += status == 200 and start > ends
        found["refused too early"] += status != 200 and end < begins
        found["while it was revoked"] += start < ends and end > begins
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two invitations, ten revocations")
    arguments = parser.parse_args()
    with kit.own_state(redis=True):
        kit.set_up_django()
        from django.conf import settings

        settings.ALLOWED_HOSTS = ["*"]
        raced = invitations(2 if arguments.quick else ROUNDS)
        revoked = revocations(10 if arguments.quick else REVOCATIONS)
    for name, figures in (("one invitation, raced", raced), ("revoked while it is read", revoked)):
        kit.print_table(name, [*figures], [[*figures.values()]])
    kit.print_json("sharing_races", invitations=raced, revocations=revoked)
    failed = raced["not once"] + revoked["shown too late"] + revoked["refused too early"]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

"""A person's own acts (signing in, a new password) stand in the log of every tenant that they belong to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.audit.events import Act, ActOutcome
from accounts.audit.log import Actor, one_act, record
from accounts.tenancy.scope import find_current_tenant_id, open_tenant
from accounts.tenancy.unscoped import memberships_of


def record_for_person(
    person_id: UUID,
    act: Act,
    *,
    outcome: ActOutcome = ActOutcome.DONE,
    actor: Actor | None = None,
    **details: Any,
) -> None:
    """Records an act in the log of each of the person's tenants, in one transaction.

    Inside an open tenant it is recorded there alone. For acts outside of a tenant that belong together, and to be
    one entry, see accounts.audit.log.one_act.
    """
    here = find_current_tenant_id()
    tenants = [here] if here else [found.tenant_id for found in memberships_of(person_id)]
    with transaction.atomic() if here else one_act():
        for tenant_id in tenants:
            with open_tenant(tenant_id):
                record(
                    act, object_type="person", object_id=person_id, outcome=outcome, actor=actor, **details
                )

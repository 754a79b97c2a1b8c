"""What a request reads of another tenant's stands in that tenant's log too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from accounts.audit.actors import Actor, current_actor
from accounts.audit.events import Act, ActorKind
from accounts.audit.gathering import Noted, current_request
from accounts.tenancy.scope import current_tenant_id


def tell_sharer(
    tenant_id: UUID, act: Act, *, reader: str, object_type: str, object_id: object, **details: Any
) -> None:
    """Says in the log of the tenant that shows something that the open tenant's people read it.

    The entry names the reading organisation, `reader`, not its person, and is written before the request's answer
    goes out; if it can't be, the answer doesn't. A request that reads more of one tenant's makes one entry of it. What
    a worker looks at is told when a page shows it.
    """
    request = current_request()
    if request is None:
        return
    who = Actor(
        kind=ActorKind.PARTNER,
        id=str(current_tenant_id()),
        name=reader,
        request_id=current_actor().request_id,
    )
    noted = Noted(act, object_type, str(object_id), details=details, actor=who)
    first = request.owed.get(tenant_id)
    if first is not None:
        also = [*first.details.get("also", []), noted.as_also()]
        noted = replace(first, details={**first.details, "also": also})
    request.owed[tenant_id] = noted

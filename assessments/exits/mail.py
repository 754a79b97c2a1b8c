"""Messages about exits to owners and security officials of either side. They name nobody: the page says who."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from accounts.notices import site_link
from accounts.tenancy.scope import after_commit, current_tenant_id, open_tenant
from assessments.exits.models import Exit
from assessments.partnerships.mail import tell_officials


def address_of(exit_: Exit, *, upstream: bool) -> str:
    """The link to its page on a side."""
    return site_link("exit-detail" if upstream else "exit-received", exit_.pk)


def tell_own(exit_: Exit, *, subject: str, text: str) -> None:
    """Tells the open tenant's people, once what happened stands."""
    url = address_of(exit_, upstream=current_tenant_id() == exit_.upstream_id)
    tell_officials(subject=subject, text=text, url=url)


def tell_other(exit_: Exit, *, subject: str, text: str) -> None:
    """Tells the other party's people, in their tenant, once what happened stands; nobody of an exit by hand."""
    if exit_.by_hand:
        return
    upstream = current_tenant_id() != exit_.upstream_id
    tenant_id = exit_.upstream_id if upstream else exit_.downstream_id
    after_commit(partial(_tell, tenant_id, subject, text, address_of(exit_, upstream=upstream)))


def _tell(tenant_id: UUID, subject: str, text: str, url: str) -> None:
    with open_tenant(tenant_id):
        tell_officials(subject=subject, text=text, url=url)

"""Taking up an invitation: who is new signs up with an organisation, then accepts once verified.

Nothing here needs an open tenant: an acceptance writes in both parties' tenants, in one transaction.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify

from accounts.audit.actors import Actor, current_actor
from accounts.audit.events import Act, ActorKind
from accounts.audit.log import acting, one_act, record
from accounts.errors import Conflict, Forbidden
from accounts.models import Membership, Person, Tenant, TenantKind
from accounts.notices import site_link
from accounts.permissions import Permission, Role, allows
from accounts.services import add_member, create_person, create_tenant
from accounts.tenancy.scope import current_tenant_id, open_tenant, savepoint
from assessments.partnerships.invitations import inviting_tenant, open_invitation
from assessments.partnerships.mail import tell_officials
from assessments.partnerships.models import Partnership
from assessments.partnerships.signals import Relation, Side, partnership_began
from assessments.timers.services import set_timer

WATCH = "partnership_watch"
"""The kind of the downstream party's timer, which looks whether its partnership still stands."""
WATCH_EVERY = timedelta(days=1)
LONGEST_SLUG = 63
_SUFFIX_BYTES = 4


def sign_up(*, token: str, name: str, password: str, organisation: str) -> tuple[Person, Tenant]:
    """Makes a person of the invited address and their organisation, all or nothing. It accepts nothing yet.

    Raises NotFound for a closed link, InvalidInput for an unfit password, Conflict where the address is taken.
    """
    with one_act():
        with open_tenant(inviting_tenant(token)):
            email = open_invitation(token, lock=True).email
        person = create_person(email=email, name=name, password=password)
        actor = current_actor()
        with acting(
            Actor(
                kind=ActorKind.PERSON, id=str(person.pk), name=person.email, address=actor.address,
                session=actor.session, request_id=actor.request_id,
            )
        ):  # fmt: skip
            return person, found_organisation(name=organisation, owner=person)


def found_organisation(*, name: str, owner: Person) -> Tenant:
    """Makes a business associate's tenant with its first owner."""
    with one_act():
        tenant = create_tenant(name=name.strip(), slug=_new_slug(name), kind=TenantKind.BUSINESS_ASSOCIATE)
        with open_tenant(tenant.pk):
            add_member(person=owner, role=Role.OWNER)
    return tenant


def accept_offer(*, token: str, person: Person, tenant_id: UUID) -> Partnership:
    """Makes the person's organisation a partner of the inviting one, and tells both.

    Whether the person's session may act in the organisation is for the caller to know. Raises NotFound for a closed
    link, Forbidden for another address, for who may not decide for the organisation, and for the inviting one itself,
    Conflict for a partner.
    """
    with one_act():
        downstream_name = _deciding_for(tenant_id, person)
        with open_tenant(inviting_tenant(token)) as upstream_id:
            partnership = _take_up(token, person, tenant_id, downstream_name)
            _begin(partnership, Relation(partnership.pk, Side.UPSTREAM, tenant_id, downstream_name))
        with open_tenant(tenant_id):
            set_timer(WATCH, partnership.pk, timezone.now() + WATCH_EVERY)
            _begin(
                partnership, Relation(partnership.pk, Side.DOWNSTREAM, upstream_id, partnership.upstream_name)
            )
    return partnership


def found_and_accept(*, token: str, person: Person, organisation: str) -> tuple[Partnership, Tenant]:
    """Makes an organisation for who has an account and none that could accept, and accepts; raises as accept_offer."""
    with one_act():
        tenant = found_organisation(name=organisation, owner=person)
        return accept_offer(token=token, person=person, tenant_id=tenant.pk), tenant


def actor_for(tenant_id: UUID, name: str) -> Actor:
    """How an organisation's act stands in its partner's log: its name, not its person's."""
    return Actor(kind=ActorKind.PARTNER, id=str(tenant_id), name=name, request_id=current_actor().request_id)


def _deciding_for(tenant_id: UUID, person: Person) -> str:
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    with open_tenant(tenant_id):
        member = Membership.objects.filter(living, person=person).select_for_update().first()
        if member is None or not allows(Role(member.role), Permission.PARTNER_CHANGE):
            raise Forbidden("An owner or a security official of the organisation can accept this.")
        return Tenant.objects.get(pk=tenant_id).name


def _take_up(token: str, person: Person, downstream_id: UUID, downstream_name: str) -> Partnership:
    invitation = open_invitation(token, lock=True)
    if person.email != invitation.email:
        raise Forbidden(f"This invitation is for {invitation.email}. Sign in with that address.")
    if downstream_id == current_tenant_id():
        raise Forbidden("An organisation is no partner of itself. Choose another one.")
    upstream = Tenant.objects.get(pk=current_tenant_id())
    invitation.accepted_at, invitation.accepted_by_tenant_id = timezone.now(), downstream_id
    invitation.save(update_fields=["accepted_at", "accepted_by_tenant"])
    try:
        with savepoint():
            made: Partnership = Partnership.objects.create(
                associate_id=invitation.associate_id, viewer_id=downstream_id, upstream_name=upstream.name,
                downstream_name=downstream_name,
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict(f"{downstream_name} works with {upstream.name} here already.") from error
    return made


def record_relation(act: Act, relation: Relation) -> None:
    """Records what happened to a partnership in the log of the open side."""
    record(
        act, object_type="partnership", object_id=relation.partnership_id, partner=str(relation.other_tenant_id or ""),
        partner_name=relation.other_name, side=str(relation.side),
    )  # fmt: skip


def _begin(partnership: Partnership, relation: Relation) -> None:
    """Says on one side, whose tenant is open, that it has begun."""
    upstream = relation.side is Side.UPSTREAM
    actor = actor_for(partnership.viewer_id, relation.other_name) if upstream else current_actor()
    with acting(actor):
        record_relation(Act.PARTNERSHIP_BEGIN, relation)
        partnership_began.send(sender=Partnership, relation=relation)
    page = (
        ("business-associate-detail", partnership.associate_id)
        if upstream
        else ("covered-entity", partnership.pk)
    )
    accepted = "accepted your invitation" if upstream else "and your organisation are partners now"
    tell_officials(
        subject=f"{relation.other_name} works with you in Surety",
        text=f"{relation.other_name} {accepted}. Nothing is shared before it is granted.",
        url=site_link(*page),
    )


def _new_slug(name: str) -> str:
    # The ending is random always: a plain one would tell which names are taken.
    ending = secrets.token_hex(_SUFFIX_BYTES)
    stem = slugify(name)[: LONGEST_SLUG - len(ending) - 1].strip("-") or "organisation"
    return f"{stem}-{ending}"

"""A tenant's sign-in policy: whether its members must come with a phishing-resistant factor."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict
from accounts.models import Membership, Passkey, Person, Tenant
from accounts.tenancy.scope import current_tenant_id, open_tenant
from accounts.tenancy.unscoped import memberships_of


def requires_passkey(person: Person) -> bool:
    """Whether any tenant of the person requires a passkey. Opens each of them."""
    return any(_required_in_tenant(found.tenant_id) for found in memberships_of(person.pk))


def _required_in_tenant(tenant_id: UUID) -> bool:
    with open_tenant(tenant_id):
        return Tenant.objects.filter(pk=tenant_id, require_passkey=True).exists()


def set_sign_in_policy(*, require_passkey: bool, came_by_passkey: bool) -> None:
    """Changes the open tenant's policy; it holds from each member's next request.

    Raises Conflict where who asks for passkeys didn't come by one: the owner would be outside at once.
    """
    if require_passkey and not came_by_passkey:
        raise Conflict("Sign in with a passkey of your own first, so that you don't shut yourself out.")
    changed = Tenant.objects.filter(pk=current_tenant_id()).exclude(require_passkey=require_passkey)
    if changed.update(require_passkey=require_passkey):
        record(
            Act.TENANT_CHANGE,
            object_type="tenant",
            object_id=current_tenant_id(),
            require_passkey=require_passkey,
        )


def members_without_passkey() -> list[Person]:
    """The members of the open tenant who have none yet, by name."""
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    members = Membership.objects.filter(living).values_list("person_id", flat=True)
    have = Passkey.objects.filter(user__in=list(members)).values_list("user_id", flat=True)
    return list(
        Person.objects.filter(pk__in=set(members) - set(have), is_active=True).order_by("name", "email")
    )

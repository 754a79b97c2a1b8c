"""What can be done with tenants, people and their ways in. Keyword-only; errors are accounts.errors."""

from accounts.services.invitations import (
    InvitationMade,
    InvitationOffer,
    accept_invitation,
    find_invitation,
    invite,
    revoke_invitation,
)
from accounts.services.members import add_member, change_role, grantable_roles, remove_member
from accounts.services.people import change_name, change_password, create_person, disable_person, end_sessions
from accounts.services.person_log import record_for_person
from accounts.services.second_factor import (
    confirm_totp,
    create_recovery_codes,
    has_second_factor,
    match_code,
    prepare_totp,
    second_factor_wait,
)
from accounts.services.tenants import create_tenant

__all__ = [
    "InvitationMade",
    "InvitationOffer",
    "accept_invitation",
    "add_member",
    "change_name",
    "change_password",
    "change_role",
    "confirm_totp",
    "create_person",
    "create_recovery_codes",
    "create_tenant",
    "disable_person",
    "end_sessions",
    "find_invitation",
    "grantable_roles",
    "has_second_factor",
    "invite",
    "match_code",
    "prepare_totp",
    "record_for_person",
    "remove_member",
    "revoke_invitation",
    "second_factor_wait",
]

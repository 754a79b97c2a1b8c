"""What can be done with partnerships. Keyword-only; errors are accounts.errors."""

from assessments.partnerships.ending import end_partnership, leave_partnership, watch_partnership
from assessments.partnerships.invitations import (
    InvitationSent,
    Offer,
    find_offer,
    invite_associate,
    open_invitations,
    revoke_offer,
)
from assessments.partnerships.joining import accept_offer, found_and_accept, found_organisation, sign_up
from assessments.partnerships.reading import (
    departure_from,
    find_received,
    own_departure,
    standing_partnership,
    working_partnerships,
)

__all__ = [
    "InvitationSent",
    "Offer",
    "accept_offer",
    "departure_from",
    "end_partnership",
    "find_offer",
    "find_received",
    "found_and_accept",
    "found_organisation",
    "invite_associate",
    "leave_partnership",
    "open_invitations",
    "own_departure",
    "revoke_offer",
    "sign_up",
    "standing_partnership",
    "watch_partnership",
    "working_partnerships",
]

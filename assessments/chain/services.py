"""What a tenant lets its upstream parties know of its own business associates, and how it takes that back."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, NotFound
from accounts.models import Person
from assessments.chain.models import ChainConsent
from assessments.chain.telling import refresh_chain, ring_upwards, take_back_upwards
from assessments.chain.words import Service, Telling
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership
from assessments.partnerships.services import working_partnerships


def find_upstream(*, partnership_id: UUID) -> Partnership:
    """A partnership in which the open tenant works for another party. Raises NotFound."""
    found = working_partnerships().filter(pk=partnership_id).first()
    if found is None:
        raise NotFound("There is no such covered entity, or the relation has ended.")
    return found


def find_consent(*, partnership: Partnership, associate_id: UUID) -> ChainConsent:
    """What was decided of a subcontractor for this party; an unsaved one where nothing was. Raises NotFound."""
    consent = ChainConsent.objects.filter(partnership_id=partnership.pk, associate_id=associate_id)
    found = consent.select_related("associate").first()
    if found is not None:
        return found
    associate = BusinessAssociate.objects.filter(pk=associate_id, ended_at=None).first()
    if associate is None:
        raise NotFound("There is no such business associate.")
    return ChainConsent(
        partnership_id=partnership.pk,
        upstream_id=partnership.tenant_id,
        associate=associate,
        service="",  # type: ignore[misc] # never None
    )


def decide_handling(*, consent: ChainConsent, service: Service, tell: bool, by: Person) -> ChainConsent:
    """Says that the subcontractor handles this party's PHI, and whether the party is told of it, without its name.

    A consent to its name ends with the consent to be told of at all, and isn't given here.
    """
    kept = Telling(consent.telling) if consent.telling != Telling.NOTHING else Telling.MASKED
    return _keep(consent, service, kept if tell else Telling.NOTHING, by, Act.CHAIN_CONSENT)


def consent_to_name(*, consent: ChainConsent, below: bool, by: Person) -> ChainConsent:
    """Lets the party know the subcontractor's name, and with `below` the names that it gives of its own.

    Raises Conflict where the party isn't told of it at all.
    """
    if consent.telling == Telling.NOTHING:
        raise Conflict("Agree first that the subcontractor is told of, then that it is named.")
    telling = Telling.NAMED_BELOW if below else Telling.NAMED
    return _keep(consent, Service(consent.service), telling, by, Act.CHAIN_NAME)


def take_back_name(*, consent: ChainConsent, by: Person) -> ChainConsent:
    """Masks it again, and all below it. Raises Conflict where it isn't named."""
    if not Telling(consent.telling).names_it:
        raise Conflict("It isn't named.")
    return _keep(consent, Service(consent.service), Telling.MASKED, by, Act.CHAIN_REVOKE)


def take_back(*, consent: ChainConsent, by: Person) -> ChainConsent:
    """Tells the party nothing of it any more. Raises Conflict where it isn't told of."""
    if consent.telling == Telling.NOTHING:
        raise Conflict("Nothing is told of it.")
    return _keep(consent, Service(consent.service), Telling.NOTHING, by, Act.CHAIN_REVOKE)


def _keep(consent: ChainConsent, service: Service, telling: Telling, by: Person, act: Act) -> ChainConsent:
    order = list(Telling)
    less = order.index(telling) < order.index(Telling(consent.telling))
    consent.service, consent.telling, consent.decided_by, consent.decided_at = (
        service, telling, by, timezone.now(),
    )  # fmt: skip
    consent.save()
    record(
        Act.CHAIN_REVOKE if less else act, object_type="business_associate", object_id=consent.associate_id,
        upstream=str(consent.upstream_id), service=str(service), telling=str(telling),
    )  # fmt: skip
    viewers = refresh_chain()
    if less:
        take_back_upwards(viewers)
    else:
        ring_upwards(viewers)
    return consent

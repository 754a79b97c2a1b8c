from typing import Any

from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    name = "assessments"
    verbose_name = "Assessments"

    def ready(self) -> None:
        from accounts.signals import invitation_accepted, webhook_settled
        from assessments.agreements.receivers import show_when_it_begins, withdraw_when_it_ends
        from assessments.chain.hearing import listen
        from assessments.notices.ways import note_webhook
        from assessments.partnerships.signals import partnership_began, partnership_ended
        from assessments.partnerships.webhooks import emit_began, emit_ended
        from assessments.verifications.reminders import start_clock

        invitation_accepted.connect(_bind_auditor, dispatch_uid="engagements")
        partnership_began.connect(show_when_it_begins, dispatch_uid="agreements")
        partnership_began.connect(start_clock, dispatch_uid="verifications")
        partnership_ended.connect(withdraw_when_it_ends, dispatch_uid="agreements")
        partnership_ended.connect(_take_back, dispatch_uid="sharing")
        partnership_began.connect(emit_began, dispatch_uid="webhooks")
        partnership_ended.connect(emit_ended, dispatch_uid="webhooks")
        webhook_settled.connect(note_webhook, dispatch_uid="notices")
        listen()


def _bind_auditor(invitation: Any, person: Any, **_: Any) -> None:
    from accounts.permissions import Role
    from assessments.engagements.services.access import bind_person

    if invitation.role == Role.AUDITOR:
        bind_person(email=invitation.email, person=person)


def _take_back(relation: Any, **_: Any) -> None:
    """What the downstream party shows is withdrawn in the transaction of its end."""
    from assessments.partnerships.signals import Side
    from assessments.sharing.services import revoke_grants

    if relation.side is Side.DOWNSTREAM:
        revoke_grants(partnership_id=relation.partnership_id)

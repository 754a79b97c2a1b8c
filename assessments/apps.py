from typing import Any

from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    name = "assessments"
    verbose_name = "Assessments"

    def ready(self) -> None:
        from accounts.signals import invitation_accepted

        invitation_accepted.connect(_bind_auditor, dispatch_uid="engagements")


def _bind_auditor(invitation: Any, person: Any, **_: Any) -> None:
    from accounts.permissions import Role
    from assessments.engagements.services.access import bind_person

    if invitation.role == Role.AUDITOR:
        bind_person(email=invitation.email, person=person)

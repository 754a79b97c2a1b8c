"""The timers of verifications and what they call."""

from __future__ import annotations

from collections.abc import Mapping

from assessments.timers.services import Handler
from assessments.verifications.mail import tell_answer
from assessments.verifications.reminders import REMINDER, remind
from assessments.verifications.services.answering import ANSWERED
from assessments.verifications.services.certifying import SIGNING
from assessments.verifications.services.delivering import ring_signing

HANDLERS: Mapping[str, Handler] = {SIGNING: ring_signing, ANSWERED: tell_answer, REMINDER: remind}

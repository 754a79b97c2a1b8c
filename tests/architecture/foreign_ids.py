"""What takes an id of a tenant's thing: the parameters of addresses, the fields of queries and forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from accounts.models import Passkey, Person
from tests.accounts.authenticator import give_passkey
from tests.architecture.everything import CHECK, CITATION, Everything, cursor_before


@dataclass(frozen=True)
class Kind:
    """What an id in an address names: how to get a tenant's own, and one that nobody has."""

    of: Callable[[Everything], object]
    nobody: Callable[[], object] = uuid4


def _passkey(person: Person) -> str:
    """The handle of a passkey of the person."""
    found = Passkey.objects.filter(user=person).first()
    if found is None:
        give_passkey(person)
        found = Passkey.objects.get(user=person)
    return found.handle


KINDS: dict[str, Kind] = {
    "connection_id": Kind(lambda its: its.connection.pk),
    "run_id": Kind(lambda its: its.running.pk),
    "snapshot_id": Kind(lambda its: its.snapshot.pk),
    "submission_id": Kind(lambda its: its.submission.pk),
    "document_id": Kind(lambda its: its.document.pk),
    "mapping_id": Kind(lambda its: its.mapping.pk),
    "finding_id": Kind(lambda its: its.finding.pk),
    "submitted_check_id": Kind(lambda its: its.submitted_check.pk),
    "membership_id": Kind(lambda its: its.membership.pk),
    "scim_user_id": Kind(lambda its: its.scim_user.pk),
    "scim_group_id": Kind(lambda its: its.scim_group.pk),
    "api_client_id": Kind(lambda its: its.api_secret.client_id),
    "secret_id": Kind(lambda its: its.api_secret.pk),
    "trust_id": Kind(lambda its: its.client_trust.pk),
    "token_id": Kind(lambda its: its.scim_token.pk),
    "window_id": Kind(lambda its: its.window.pk),
    "stream_id": Kind(lambda its: its.stream.pk),
    "endpoint_id": Kind(lambda its: its.endpoint.pk),
    "webhook_delivery_id": Kind(lambda its: its.webhook_delivery.pk),
    "entry_id": Kind(lambda its: its.entry.pk),
    "invitation_id": Kind(lambda its: its.invitation.invitation.pk),
    "engagement_id": Kind(lambda its: its.engagement.pk),
    "package_id": Kind(lambda its: its.package.pk),
    "questionnaire_id": Kind(lambda its: its.questionnaire.pk),
    "received_questionnaire_id": Kind(lambda its: its.received_questionnaire.pk),
    "template_id": Kind(lambda its: its.template.pk),
    "workbook_id": Kind(lambda its: its.workbook.pk),
    "associate_id": Kind(lambda its: its.associate.pk),
    "agreement_id": Kind(lambda its: its.agreement.pk),
    "agreement_version_id": Kind(lambda its: its.agreement_version.pk),
    "grant_id": Kind(lambda its: its.received_grant),
    "own_grant_id": Kind(lambda its: its.grant.pk),
    "partnership_id": Kind(lambda its: its.received_partnership.pk),
    "offer_id": Kind(lambda its: its.offer.pk),
    "packet_id": Kind(lambda its: its.verification.pk),
    "section_id": Kind(lambda its: its.section.pk),
    "calendar_feed_id": Kind(lambda its: its.calendar_feed.pk),
    "delivery_id": Kind(lambda its: its.delivery.pk),
    "exit_id": Kind(lambda its: its.exit.pk),
    "received_exit_id": Kind(lambda its: its.received_exit.pk),
    "paper_id": Kind(lambda its: its.exit_paper.pk),
    "resource_id": Kind(lambda its: its.exit_resource.pk),
    "certificate_id": Kind(lambda its: its.exit_certificate.pk),
    "import_id": Kind(lambda its: its.sheet.pk),
    "passkey": Kind(lambda its: _passkey(its.owner), lambda: uuid4().hex),
    "provider_id": Kind(lambda its: its.provider.pk),
    "domain_id": Kind(lambda its: its.domain.pk),
    "group_id": Kind(lambda its: its.group.pk),
    "identity_id": Kind(lambda its: its.identity.pk),
    "break_glass_id": Kind(lambda its: its.break_glass.pk),
    "auditor_id": Kind(lambda its: its.auditor.pk),
    "request_id": Kind(lambda its: its.asked.pk),
    "sample_id": Kind(lambda its: its.sample.pk),
    "item_id": Kind(lambda its: its.item.pk),
    "occurrence_id": Kind(lambda its: its.occurrence.pk),
    "notice_id": Kind(lambda its: its.notice.pk),
    "recipient_id": Kind(lambda its: its.outside.pk),
    "timeline_id": Kind(lambda its: its.timeline.pk),
    "handle": Kind(lambda its: its.session, lambda: uuid4().hex + "00000000"),
}
"""Ids of tenants' things in addresses."""

FINISHED_RUN = Kind(lambda its: its.run.pk)
OTHERWISE = {("api/v1/runs/<uuid:run_id>/document", "run_id"): FINISHED_RUN}
"""Where an address takes only some of the kind."""

NOBODYS = {
    "citation": (CITATION, "the Security Rule is the same for all"),
    "check_id": (CHECK, "checks are the product's own"),
    "operator_id": (str(uuid4()), "the operator's staff are nobody's members; beside a secret"),
    "tab": ("overview", "a page's tabs are the product's own"),
    "key": ("one", "keys of questions, and of templates that ship, name nothing by themselves"),
    "item": ("access", "keys of items of a checklist name nothing by themselves"),
    "section_key": ("first", "keys of sections name nothing by themselves"),
    "rest": ("no/such/thing", "the rest of an address where nothing is"),
    "notice_kind": ("contingency", "kinds of notices are the product's own"),
    "duty": ("individuals", "duties after a breach are the law's"),
    "wanted": ("User", "provisioning describes itself to all alike"),
    "entrance": (
        "0198c0de-0000-7000-8000-000000000000",
        "a provider's own way in, told to the provider and to whoever signs in by it; see the tests of single sign-on",
    ),
    "token": ("x" * 43, "a secret: who holds it is meant to read the offer; see the test of invitations"),
}
"""Parameters of addresses that name nothing of a tenant, with a sample and the reason."""

IDS = {
    "connection": Kind(lambda its: its.connection.pk),
    "connections": Kind(lambda its: its.connection.pk),
    "partner": Kind(lambda its: its.associate.pk),
    "webhook": Kind(lambda its: its.endpoint.pk),
    "evidence": Kind(lambda its: its.snapshot.pk),
    "mapping": Kind(lambda its: its.mapping.pk),
    "from": Kind(lambda its: its.mapping.pk),
    "owner": Kind(lambda its: its.membership.pk),
    "tenant": Kind(lambda its: its.tenant.pk),
    "actor": Kind(lambda its: its.owner.pk),
    "engagement": Kind(lambda its: its.engagement.pk),
    "membership": Kind(lambda its: its.membership.pk),
    "associate": Kind(lambda its: its.associate.pk),
    "associates": Kind(lambda its: its.associate.pk),
    "snapshot": Kind(lambda its: its.snapshot.pk),
    "object": Kind(lambda its: its.connection.pk),
    "partnership": Kind(lambda its: its.grant.partnership_id),
    "notice": Kind(lambda its: its.notice.pk),
    "recipients": Kind(lambda its: its.outside.pk),
    "after": Kind(lambda its: cursor_before(its.snapshot.pk), lambda: cursor_before(uuid4())),
}
"""Fields of queries and forms that take an id, or a key made of one."""

WORDS = frozenset({
    "scopes", "networks", "safeguards", "entity", "others", "month", "months", "part", "side", "doing",
    "runs_from", "said", "on", "how", "protections", "verdict", "words", "certified_by", "certified_on", "disclosure",
    "resource", "q",
    "current", "closed", "drill", "done", "fields", "limit", "cursor", "gone", "check", "collected_from", "collected_before", "as_of", "ended",
    "year", "everyone", "question", "document", "remove", "prompt", "answer", "choices", "weight", "help",
    "within_days", "at_least", "at_most", "one-value", "one-reason", "one-confirm", "one-verdict", "one-comment",
    "tell", "below", "description", "url", "events", "arn", "audience", "keyless",
    "organisation",
    "slug", "reason", "ticket", "hours", "emergency", "days", "allowed", "with_evidence",
    "act", "outcome", "since", "until", "polling", "format", "change", "kind", "target",
    "authority", "from_start", "collector", "region", "section", "status", "designation", "text", "severity",
    "service", "citation", "way", "tab", "theme", "next", "email", "password", "code", "name",
    "credential", "require_passkey", "role", "ends_on", "aws_account_id", "partition", "role_name",
    "regions", "holds_phi",
    "csrfmiddlewaretoken", "period_from", "period_to", "citations", "fields_withheld", "more_withheld",
    "withheld_reason", "preview",
    "reference", "services", "creates", "receives", "maintains", "transmits", "volume", "reach",
    "systems", "minimum_necessary", "contact_name", "contact_email", "official_name", "official_email", "tier", "state",
    "sheet", "why",
    "rules", "covers", "additions", "analysis", "scope", "included", "qualification", "reviewed_on",
    "confirmed", "reasons",
    "required", "domain", "enabled", "issuer", "client_id", "client_secret", "metadata", "metadata_url",
    "email_claim", "groups_claim", "proof", "values", "just_in_time", "default_role", "listed", "group",
    "details", "discovered_at", "zone", "individuals", "most_in_one_state", "send", "shown", "closes",
    "contingency", "workforce", "incident", "breach", "nature", "recipient", "acquired", "mitigated", "conclusion", "done_on",
    "title", "firm", "opens_on", "closes_on", "due_on",
    "summary", "own_party", "other_party", "signed_on", "effective_from", "renews", "renewal_months",
    "notice_days", "incident_hours", "breach_hours", "contingency_hours", "workforce_hours", "disposal", "return_days",
    "audit_right", "binds_subcontractors", "stage", "terminated_on", "clause", "page", "quote",
    "stream", "effective_to", "complete", "looked", "content", "sample", "retired", "for", "try", "save",
    "extent", "source", "subject", "seed", "size", "result", "note", "comment-text", "conclude-judgement",
    "conclude-reasons", "conclude-shared",
})  # fmt: skip
"""Fields that take no id."""

BODIES = {
    "questionnaires/<uuid:questionnaire_id>/link/": {"email": "somebody@example.org"},
    "questionnaires/<uuid:questionnaire_id>/send-back/": {"due_on": "2099-12-31"},
    "audit/streams/<uuid:stream_id>/change/": {"change": "pause"},
    "webhooks/<uuid:endpoint_id>/change/": {"change": "disable"},
    "webhooks/<uuid:endpoint_id>/replay/": {"since": "2026-01-01"},
    "members/<uuid:membership_id>/role/": {"role": "viewer"},
}
"""What makes a form fit, so that the refusal is about the id."""

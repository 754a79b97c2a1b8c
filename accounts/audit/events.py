"""Every act that the audit log knows."""

from __future__ import annotations

from enum import StrEnum


class Act(StrEnum):
    """What was done. The value is stored; it never changes its meaning. `label` is what people read."""

    SIGN_IN = "session.sign_in"
    SECOND_FACTOR = "session.second_factor"
    STEP_UP = "session.step_up"
    SIGN_OUT = "session.sign_out"
    SESSION_EXPIRE = "session.expire"
    SESSION_REVOKE = "session.revoke"
    REQUEST_REFUSE = "request.refuse"
    REQUEST_REPLAY = "request.replay"
    PASSWORD_CHANGE = "person.password_change"  # noqa: S105 (the name of an act)
    SECOND_FACTOR_SET_UP = "person.second_factor_set_up"
    SECOND_FACTOR_REMOVE = "person.second_factor_remove"
    RECOVERY_CODES_CREATE = "person.recovery_codes_create"
    PASSKEY_ADD = "person.passkey_add"
    PASSWORD_RESET = "person.password_reset"  # noqa: S105 (as above)
    EMAIL_CHANGE_ASK = "person.email_change_ask"
    EMAIL_CHANGE = "person.email_change"
    EMAIL_CHANGE_UNDO = "person.email_change_undo"
    PERSON_READ = "person.read"
    PERSON_CHANGE = "person.change"
    SESSION_EXTEND = "session.extend"
    TENANT_SWITCH = "session.tenant_switch"
    TENANT_READ = "tenant.read"
    TENANT_CREATE = "tenant.create"
    TENANT_CHANGE = "tenant.change"
    INVITATION_READ = "invitation.read"
    INVITATION_CREATE = "invitation.create"
    INVITATION_ACCEPT = "invitation.accept"
    INVITATION_REVOKE = "invitation.revoke"
    MEMBER_ADD = "member.add"
    MEMBER_ROLE_CHANGE = "member.role_change"
    MEMBER_REMOVE = "member.remove"
    MEMBER_LIST = "member.list"
    MEMBER_READ = "member.read"
    MEMBER_CHANGE = "member.change"
    PROVISIONING_READ = "provisioning.read"
    PROVISIONING_CHANGE = "provisioning.change"
    PROVISIONING_TOKEN_CREATE = "provisioning.token_create"  # noqa: S105 (as above)
    PROVISIONING_TOKEN_REVOKE = "provisioning.token_revoke"  # noqa: S105 (as above)
    USER_PROVISION = "provisioning.user_create"
    USER_PROVISION_CHANGE = "provisioning.user_change"
    USER_DEPROVISION = "provisioning.user_delete"
    GROUP_PROVISION = "provisioning.group_create"
    GROUP_PROVISION_CHANGE = "provisioning.group_change"
    GROUP_DEPROVISION = "provisioning.group_delete"
    OPERATOR_ASK = "operator.ask"
    OPERATOR_APPROVE = "operator.approve"
    OPERATOR_GRANT = "operator.grant"
    OPERATOR_EMERGENCY = "operator.emergency"
    OPERATOR_CLOSE = "operator.close"
    OPERATOR_ENTER = "operator.enter"
    OPERATOR_ACCESS_READ = "operator.access_read"
    OPERATOR_ACCESS_CHANGE = "operator.access_change"
    SSO_DOMAIN_ADD = "sso.domain_add"
    SSO_DOMAIN_CHECK = "sso.domain_check"
    SSO_DOMAIN_REMOVE = "sso.domain_remove"
    SSO_PROVIDER_ADD = "sso.provider_add"
    SSO_PROVIDER_CHANGE = "sso.provider_change"
    SSO_PROVIDER_REMOVE = "sso.provider_remove"
    SSO_TEST = "sso.test"
    SSO_LINK_ADD = "sso.link_add"
    SSO_LINK_REMOVE = "sso.link_remove"
    SSO_POLICY_CHANGE = "sso.policy_change"
    SSO_READ = "sso.read"
    BREAK_GLASS_CHANGE = "break_glass.change"
    BREAK_GLASS_USE = "break_glass.use"
    AUDIT_READ = "audit.read"
    LOG_EPOCH = "log.epoch"
    LOG_ENTRY_FAULT = "log.entry_fault"
    AUDIT_EXPORT = "audit.export"
    CONNECTION_READ = "connection.read"
    CONNECTION_CREATE = "connection.create"
    CONNECTION_VERIFY = "connection.verify"
    CONNECTION_CHANGE = "connection.change"
    CONNECTION_REMOVE = "connection.remove"
    PROGRESS_READ = "collection.progress"
    COLLECTION_START = "collection.start"
    COLLECTION_FINISH = "collection.finish"
    EVIDENCE_SEAL = "evidence.seal"
    SUBMISSION_SEND = "submission.send"
    SUBMISSION_RECEIVE = "submission.receive"
    SUBMISSION_ACCEPT = "submission.accept"
    SUBMISSION_REFUSE = "submission.refuse"
    SUBMISSION_HOLD = "submission.hold"
    SUBMISSION_RELEASE = "submission.release"
    SUBMISSION_DELETE = "submission.delete"
    SUBMISSION_READ = "submission.read"
    MAPPING_READ = "mapping.read"
    MAPPING_CHANGE = "mapping.change"
    EVIDENCE_LIST = "evidence.list"
    EVIDENCE_READ = "evidence.read"
    EVIDENCE_EXPORT = "evidence.export"
    EVIDENCE_VERIFY = "evidence.verify"
    EVALUATION_FINISH = "evaluation.finish"
    STREAM_CREATE = "stream.create"
    STREAM_READ = "stream.read"
    STREAM_CHANGE = "stream.change"
    STREAM_REMOVE = "stream.remove"
    API_CLIENT_READ = "api_client.read"
    API_CLIENT_CHANGE = "api_client.change"
    API_CLIENT_CREATE = "api_client.create"
    API_CLIENT_SECRET = "api_client.secret_create"  # noqa: S105 (as above)
    API_CLIENT_SECRET_REVOKE = "api_client.secret_revoke"  # noqa: S105 (as above)
    API_CLIENT_REVOKE = "api_client.revoke"
    API_CLIENT_TRUST = "api_client.trust_create"
    API_CLIENT_TRUST_REVOKE = "api_client.trust_revoke"
    API_CLIENT_TOKEN = "api_client.token"  # noqa: S105 (as above)
    WEBHOOK_READ = "webhook.read"
    WEBHOOK_CREATE = "webhook.create"
    WEBHOOK_CHANGE = "webhook.change"
    WEBHOOK_TEST = "webhook.test"
    WEBHOOK_REPLAY = "webhook.replay"
    WEBHOOK_REMOVE = "webhook.remove"
    POSTURE_READ = "posture.read"
    PARTNER_READ = "partner.read"
    PARTNER_CHANGE = "partner.change"
    PACKAGE_LIST = "package.list"
    PACKAGE_READ = "package.read"
    PACKAGE_PREVIEW = "package.preview"
    PACKAGE_CREATE = "package.create"
    PACKAGE_FINISH = "package.finish"
    PACKAGE_LINK = "package.link"
    PACKAGE_DOWNLOAD = "package.download"
    PACKAGE_REMOVE = "package.remove"
    ENGAGEMENT_CREATE = "engagement.create"
    ENGAGEMENT_CHANGE = "engagement.change"
    ENGAGEMENT_END = "engagement.end"
    ENGAGEMENT_READ = "engagement.read"
    ENGAGEMENT_AUDITOR_ADD = "engagement.auditor_add"
    ENGAGEMENT_AUDITOR_REMOVE = "engagement.auditor_remove"
    REQUEST_ASK = "engagement.request_ask"
    REQUEST_SAY = "engagement.request_say"
    REQUEST_ASSIGN = "engagement.request_assign"
    SAMPLE_FREEZE = "engagement.sample_freeze"
    SAMPLE_DRAW = "engagement.sample_draw"
    SAMPLE_REPLACE = "engagement.sample_replace"
    SAMPLE_JUDGE = "engagement.sample_judge"
    SAFEGUARD_COMMENT = "engagement.comment"
    SAFEGUARD_CONCLUDE = "engagement.conclude"

    VERIFICATION_LIST = "verification.list"
    VERIFICATION_READ = "verification.read"
    VERIFICATION_DRAFT = "verification.draft"
    VERIFICATION_CHANGE = "verification.change"
    VERIFICATION_REVIEW = "verification.review"
    VERIFICATION_CERTIFY = "verification.certify"
    VERIFICATION_SIGN = "verification.sign"
    VERIFICATION_DELIVER = "verification.deliver"
    VERIFICATION_DOWNLOAD = "verification.download"
    VERIFICATION_ANSWER = "verification.answer"
    VERIFICATION_REMIND = "verification.remind"
    EXIT_LIST = "exit.list"
    EXIT_READ = "exit.read"
    EXIT_BEGIN = "exit.begin"
    EXIT_ANSWER = "exit.answer"
    EXIT_REVIEW = "exit.review"
    EXIT_RESOURCES = "exit.resources"
    EXIT_EVIDENCE = "exit.evidence"
    EXIT_CERTIFY = "exit.certify"
    EXIT_SIGN = "exit.sign"
    EXIT_DOWNLOAD = "exit.download"
    EXIT_PAPER = "exit.paper"
    EXIT_CLOSE = "exit.close"
    EXIT_REMIND = "exit.remind"

    BUSINESS_ASSOCIATE_LIST = "business_associate.list"
    BUSINESS_ASSOCIATE_READ = "business_associate.read"
    BUSINESS_ASSOCIATE_CREATE = "business_associate.create"
    BUSINESS_ASSOCIATE_CHANGE = "business_associate.change"
    BUSINESS_ASSOCIATE_END = "business_associate.end"
    BUSINESS_ASSOCIATE_EXPORT = "business_associate.export"
    BUSINESS_ASSOCIATE_IMPORT_PREVIEW = "business_associate.import_preview"
    BUSINESS_ASSOCIATE_IMPORT = "business_associate.import"
    QUESTIONNAIRE_TEMPLATE_CHANGE = "questionnaire.template_change"
    QUESTIONNAIRE_LIST = "questionnaire.list"
    QUESTIONNAIRE_READ = "questionnaire.read"
    QUESTIONNAIRE_SEND = "questionnaire.send"
    QUESTIONNAIRE_REMIND = "questionnaire.remind"
    QUESTIONNAIRE_LINK = "questionnaire.link"
    QUESTIONNAIRE_ANSWER = "questionnaire.answer"
    QUESTIONNAIRE_HAND_IN = "questionnaire.hand_in"
    QUESTIONNAIRE_IMPORT_PREVIEW = "questionnaire.import_preview"
    QUESTIONNAIRE_IMPORT = "questionnaire.import"
    QUESTIONNAIRE_EXPORT = "questionnaire.export"
    QUESTIONNAIRE_REVIEW = "questionnaire.review"
    QUESTIONNAIRE_SEND_BACK = "questionnaire.send_back"
    QUESTIONNAIRE_ACCEPT = "questionnaire.accept"
    QUESTIONNAIRE_WITHDRAW = "questionnaire.withdraw"
    CHAIN_READ = "chain.read"
    CHAIN_CONSENT = "chain.consent"
    CHAIN_NAME = "chain.name"
    CHAIN_REVOKE = "chain.revoke"
    CHAIN_TELL = "chain.tell"
    CHAIN_BREAK = "chain.break"
    CHAIN_MEND = "chain.mend"

    AGREEMENT_LIST = "agreement.list"
    AGREEMENT_READ = "agreement.read"
    AGREEMENT_CREATE = "agreement.create"
    AGREEMENT_VERSION = "agreement.version_add"
    AGREEMENT_STAGE = "agreement.stage"
    AGREEMENT_TERMINATE = "agreement.terminate"
    AGREEMENT_CLAUSES = "agreement.mark_clauses"
    AGREEMENT_DOWNLOAD = "agreement.download"
    AGREEMENT_LETTER = "agreement.gap_letter"
    AGREEMENT_REMIND = "agreement.remind"
    AGREEMENT_TERMS_READ = "agreement.terms_read"
    SHARING_READ = "sharing.read"
    SHARING_PREVIEW = "sharing.preview"
    SHARING_GRANT = "sharing.grant"
    SHARING_REVOKE = "sharing.revoke"
    SHARING_PUBLISH = "sharing.publish"
    SHARED_POSTURE_READ = "shared_posture.read"
    NOTICE_LIST = "notice.list"
    NOTICE_READ = "notice.read"
    NOTICE_SEND = "notice.send"
    NOTICE_UPDATE = "notice.update"
    NOTICE_CLOSE = "notice.close"
    NOTICE_RECEIVE = "notice.receive"
    NOTICE_MAIL = "notice.mail"
    NOTICE_ESCALATE = "notice.escalate"
    NOTICE_ACKNOWLEDGE = "notice.acknowledge"
    NOTICE_RECIPIENT_ADD = "notice.recipient_add"
    NOTICE_RECIPIENT_REMOVE = "notice.recipient_remove"
    NOTICE_TIMELINE = "notice.timeline"
    NOTICE_TIMELINE_DOWNLOAD = "notice.timeline_download"
    BREACH_OPEN = "breach.open"
    BREACH_ASSESS = "breach.assess"
    BREACH_STEP = "breach.step"
    PARTNERSHIP_LIST = "partnership.list"
    PARTNERSHIP_READ = "partnership.read"
    PARTNERSHIP_INVITE = "partnership.invite"
    PARTNERSHIP_INVITATION_READ = "partnership.invitation_read"
    PARTNERSHIP_INVITATION_REVOKE = "partnership.invitation_revoke"
    PARTNERSHIP_BEGIN = "partnership.begin"
    PARTNERSHIP_END = "partnership.end"
    PARTNERSHIP_LEAVE = "partnership.leave"
    CALENDAR_READ = "calendar.read"
    CALENDAR_FEED_LIST = "calendar.feed_list"
    CALENDAR_FEED_CREATE = "calendar.feed_create"
    CALENDAR_FEED_REVOKE = "calendar.feed_revoke"
    CALENDAR_FEED_READ = "calendar.feed_read"

    @property
    def label(self) -> str:
        """In plain words, as one says it of the actor."""
        return _LABELS.get(self.name) or _words(self.value)


def _words(value: str) -> str:
    """Such as "Created a business associate" of business_associate.create."""
    thing, _, done = value.replace("_", " ").partition(".")
    *about, verb = done.split()
    if verb not in _DONE:
        return f"{thing}: {done}".capitalize()
    article = "an" if thing[0] in "aeiou" else "a"
    return f"{_DONE[verb]} {article} {' '.join([thing, *about])}"


_DONE = {
    "accept": "Accepted", "add": "Added", "answer": "Answered", "certify": "Certified", "change": "Changed",
    "create": "Created", "delete": "Deleted", "deliver": "Delivered", "download": "Downloaded", "end": "Ended",
    "export": "Exported", "finish": "Finished", "import": "Imported", "list": "Looked at", "preview": "Previewed",
    "read": "Looked at", "refuse": "Refused", "remind": "Sent a reminder of", "remove": "Removed", "review": "Reviewed",
    "revoke": "Revoked", "send": "Sent", "withdraw": "Withdrew",
}  # fmt: skip
"""How the names of acts end, as one says it."""

_LABELS = {
    "SIGN_IN": "Signed in",
    "SECOND_FACTOR": "Gave the second factor",
    "STEP_UP": "Proved both factors again",
    "SIGN_OUT": "Signed out",
    "SESSION_EXPIRE": "Session ended by the clock",
    "SESSION_REVOKE": "Ended a session",
    "SESSION_EXTEND": "Stayed signed in",
    "TENANT_SWITCH": "Changed to another tenant",
    "PASSWORD_CHANGE": "Changed the password",
    "SECOND_FACTOR_SET_UP": "Set up an authenticator app",
    "SECOND_FACTOR_REMOVE": "Removed a second factor",
    "RECOVERY_CODES_CREATE": "Made recovery codes",
    "PASSKEY_ADD": "Added a passkey",
    "PERSON_READ": "Looked at the own profile",
    "PERSON_CHANGE": "Changed the own profile",
    "TENANT_READ": "Looked at the tenant's settings",
    "TENANT_CREATE": "Created the tenant",
    "TENANT_CHANGE": "Changed the tenant's settings",
    "INVITATION_READ": "Looked at an invitation",
    "INVITATION_CREATE": "Invited a person",
    "INVITATION_ACCEPT": "Accepted an invitation",
    "INVITATION_REVOKE": "Withdrew an invitation",
    "MEMBER_ADD": "Added a member",
    "MEMBER_ROLE_CHANGE": "Changed a member's role",
    "MEMBER_REMOVE": "Removed a member",
    "MEMBER_LIST": "Looked at the members",
    "MEMBER_READ": "Looked at the members",
    "MEMBER_CHANGE": "Changed members",
    "AUDIT_READ": "Read the audit log",
    "AUDIT_EXPORT": "Exported the audit log",
    "CONNECTION_READ": "Looked at AWS connections",
    "CONNECTION_CREATE": "Connected an AWS account",
    "CONNECTION_VERIFY": "Verified an AWS connection",
    "CONNECTION_CHANGE": "Changed an AWS connection",
    "CONNECTION_REMOVE": "Removed an AWS connection",
    "PROGRESS_READ": "Page refreshed itself",
    "COLLECTION_START": "Started a collection",
    "COLLECTION_FINISH": "Finished a collection",
    "EVIDENCE_SEAL": "Sealed evidence",
    "SUBMISSION_SEND": "Sent a document",
    "SUBMISSION_RECEIVE": "Received a document",
    "SUBMISSION_ACCEPT": "Took a document as evidence",
    "SUBMISSION_REFUSE": "Refused a document",
    "SUBMISSION_HOLD": "Held back a document that may hold PHI",
    "SUBMISSION_RELEASE": "Decided to release a document that was held back",
    "SUBMISSION_DELETE": "Deleted a document that was held back",
    "SUBMISSION_READ": "Looked at submitted documents",
    "MAPPING_READ": "Looked at saved mappings",
    "MAPPING_CHANGE": "Changed saved mappings",
    "EVIDENCE_LIST": "Looked at the list of evidence",
    "EVIDENCE_READ": "Opened evidence",
    "EVIDENCE_EXPORT": "Downloaded evidence",
    "EVIDENCE_VERIFY": "Verified evidence",
    "EVALUATION_FINISH": "Evaluated a collection",
    "POSTURE_READ": "Looked at the posture",
    "API_CLIENT_READ": "Looked at API clients",
    "API_CLIENT_CHANGE": "Changed an API client",
    "API_CLIENT_CREATE": "Made an API client",
    "API_CLIENT_SECRET": "Made an API client's secret",
    "API_CLIENT_SECRET_REVOKE": "Revoked an API client's secret",
    "API_CLIENT_REVOKE": "Revoked an API client",
    "API_CLIENT_TRUST": "Let an API client in without a secret",
    "API_CLIENT_TRUST_REVOKE": "Ended an API client's way in without a secret",
    "API_CLIENT_TOKEN": "Got a token for the interface",
    "SHARING_READ": "Looked at what is shared",
    "SHARING_PREVIEW": "Previewed what would be shared",
    "SHARING_GRANT": "Granted a look at the posture",
    "SHARING_REVOKE": "Revoked a look at the posture",
    "SHARING_PUBLISH": "Published the posture to partners",
    "SHARED_POSTURE_READ": "Read a shared posture",
    "REQUEST_REFUSE": "Was refused",
    "REQUEST_REPLAY": "Repeated a request, and got its first answer",
    "PASSWORD_RESET": "Reset a password",
    "EMAIL_CHANGE_ASK": "Asked for another e-mail address",
    "EMAIL_CHANGE": "Changed the e-mail address",
    "EMAIL_CHANGE_UNDO": "Undid a change of the e-mail address",
    "PROVISIONING_READ": "Looked at provisioning",
    "PROVISIONING_CHANGE": "Changed provisioning",
    "OPERATOR_ASK": "Asked for an operator's window",
    "OPERATOR_APPROVE": "Approved an operator's window",
    "OPERATOR_GRANT": "Granted an operator's window",
    "OPERATOR_EMERGENCY": "Opened an operator's emergency window",
    "OPERATOR_CLOSE": "Closed an operator's window",
    "OPERATOR_ENTER": "Entered by an operator's window",
    "OPERATOR_ACCESS_READ": "Looked at operators' access",
    "OPERATOR_ACCESS_CHANGE": "Changed operators' access",
    "SSO_DOMAIN_ADD": "Added a domain of single sign-on",
    "SSO_DOMAIN_CHECK": "Checked the proof of a domain",
    "SSO_DOMAIN_REMOVE": "Removed a domain of single sign-on",
    "SSO_PROVIDER_ADD": "Added an identity provider",
    "SSO_PROVIDER_CHANGE": "Changed an identity provider",
    "SSO_PROVIDER_REMOVE": "Removed an identity provider",
    "SSO_TEST": "Tried single sign-on out",
    "SSO_LINK_ADD": "Linked an account to an identity provider",
    "SSO_LINK_REMOVE": "Ended an account's link to an identity provider",
    "SSO_POLICY_CHANGE": "Changed whether single sign-on is required",
    "SSO_READ": "Looked at single sign-on",
    "BREAK_GLASS_CHANGE": "Changed who can break the glass",
    "BREAK_GLASS_USE": "Broke the glass",
    "LOG_EPOCH": "The log began a new epoch",
    "LOG_ENTRY_FAULT": "The log found an entry that can't be sealed",
    "PARTNER_READ": "Looked at business associates",
    "PARTNER_CHANGE": "Changed business associates",
    "BUSINESS_ASSOCIATE_LIST": "Looked at the register",
    "BUSINESS_ASSOCIATE_EXPORT": "Exported the register",
    "BUSINESS_ASSOCIATE_IMPORT": "Imported into the register",
    "BUSINESS_ASSOCIATE_IMPORT_PREVIEW": "Previewed an import into the register",
    "ENGAGEMENT_AUDITOR_ADD": "Named an auditor",
    "ENGAGEMENT_AUDITOR_REMOVE": "Removed an auditor",
    "SAMPLE_FREEZE": "Froze a population",
    "SAMPLE_DRAW": "Drew a sample",
    "SAMPLE_REPLACE": "Replaced an item of a sample",
    "SAMPLE_JUDGE": "Judged an item of a sample",
    "REQUEST_ASK": "Asked for evidence",
    "REQUEST_SAY": "Wrote to a request for evidence",
    "REQUEST_ASSIGN": "Assigned a request for evidence",
    "SAFEGUARD_COMMENT": "Commented on a safeguard",
    "SAFEGUARD_CONCLUDE": "Concluded on a safeguard",
    "PACKAGE_LIST": "Looked at the packages",
    "PACKAGE_LINK": "Made a package's link",
    "CHAIN_READ": "Looked at a chain of subcontractors",
    "CHAIN_CONSENT": "Agreed to tell of a subcontractor",
    "CHAIN_NAME": "Agreed to name subcontractors",
    "CHAIN_REVOKE": "Took back what was told of a subcontractor",
    "CHAIN_TELL": "Changed what is told of subcontractors",
    "CHAIN_BREAK": "Was told of a broken link below a business associate",
    "CHAIN_MEND": "Ended the alert of a broken link",
    "PARTNERSHIP_LIST": "Looked at the covered entities",
    "PARTNERSHIP_READ": "Looked at a partnership",
    "PARTNERSHIP_INVITE": "Invited a business associate to work together",
    "PARTNERSHIP_INVITATION_READ": "Looked at an invitation of a business associate",
    "PARTNERSHIP_INVITATION_REVOKE": "Withdrew an invitation of a business associate",
    "PARTNERSHIP_BEGIN": "Began a partnership",
    "PARTNERSHIP_END": "Ended a partnership",
    "PARTNERSHIP_LEAVE": "Left a partnership",
    "EXIT_LIST": "Looked at exits",
    "EXIT_READ": "Looked at an exit",
    "EXIT_BEGIN": "Began an exit",
    "EXIT_ANSWER": "Answered an item of an exit",
    "EXIT_REVIEW": "Reviewed an answer of an exit",
    "EXIT_RESOURCES": "Named what held PHI of an exit",
    "EXIT_EVIDENCE": "Showed what AWS says of an exit",
    "EXIT_CERTIFY": "Certified the return or destruction of PHI",
    "EXIT_SIGN": "Signed a certificate of return or destruction",
    "EXIT_DOWNLOAD": "Downloaded a certificate of return or destruction",
    "EXIT_PAPER": "Recorded a certificate that came on paper",
    "EXIT_CLOSE": "Closed an exit",
    "EXIT_REMIND": "Sent a reminder of an exit",
    "STREAM_CREATE": "Set up a stream of the audit log",
    "STREAM_CHANGE": "Changed a stream of the audit log",
    "STREAM_REMOVE": "Removed a stream of the audit log",
    "WEBHOOK_READ": "Looked at webhooks",
    "WEBHOOK_CREATE": "Added a webhook",
    "WEBHOOK_CHANGE": "Changed a webhook",
    "WEBHOOK_TEST": "Tested a webhook",
    "WEBHOOK_REPLAY": "Replayed deliveries of a webhook",
    "WEBHOOK_REMOVE": "Removed a webhook",
    "AGREEMENT_LIST": "Looked at agreements",
    "AGREEMENT_STAGE": "Changed the stage of an agreement",
    "AGREEMENT_TERMINATE": "Terminated an agreement",
    "AGREEMENT_CLAUSES": "Marked clauses of an agreement",
    "AGREEMENT_LETTER": "Wrote a gap letter",
    "AGREEMENT_TERMS_READ": "Looked at the terms of an agreement",
    "VERIFICATION_LIST": "Looked at verifications",
    "VERIFICATION_DRAFT": "Drafted a verification",
    "VERIFICATION_SIGN": "Signed a verification",
    "QUESTIONNAIRE_LIST": "Looked at questionnaires",
    "QUESTIONNAIRE_LINK": "Made a link to a questionnaire",
    "QUESTIONNAIRE_HAND_IN": "Handed in a questionnaire",
    "QUESTIONNAIRE_SEND_BACK": "Asked for more answers to a questionnaire",
    "NOTICE_LIST": "Looked at notices",
    "NOTICE_READ": "Looked at a notice",
    "NOTICE_SEND": "Sent a notice",
    "NOTICE_UPDATE": "Added to a notice",
    "NOTICE_CLOSE": "Closed a notice",
    "NOTICE_RECEIVE": "Was told of a notice",
    "NOTICE_MAIL": "Mailed a notice",
    "NOTICE_ESCALATE": "Reminded of a notice",
    "NOTICE_ACKNOWLEDGE": "Acknowledged a notice",
    "NOTICE_RECIPIENT_ADD": "Added a recipient of notices",
    "NOTICE_RECIPIENT_REMOVE": "Removed a recipient of notices",
    "NOTICE_TIMELINE": "Wrote a notice's timeline",
    "NOTICE_TIMELINE_DOWNLOAD": "Downloaded a notice's timeline",
    "BREACH_OPEN": "Started the clock of a breach",
    "BREACH_ASSESS": "Assessed a breach",
    "BREACH_STEP": "Noted a breach's duty as done",
    "CALENDAR_READ": "Looked at the calendar of duties",
    "CALENDAR_FEED_LIST": "Looked at the calendar's links",
    "CALENDAR_FEED_CREATE": "Made a calendar link",
    "CALENDAR_FEED_REVOKE": "Ended a calendar link",
    "CALENDAR_FEED_READ": "Read the calendar by a link",
}

POLLING = frozenset({Act.PROGRESS_READ})
"""What pages ask by themselves, each second, while a work is under way: in the log, but not in the way there."""


class ActOutcome(StrEnum):
    """How the act ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class ActorKind(StrEnum):
    """Who acts."""

    PERSON = "person"
    SYSTEM = "system"
    STRANGER = "stranger"
    MACHINE = "machine"
    OPERATOR = "operator"
    PARTNER = "partner"
    """Another tenant's people, to whom something is shown; their organisation stands for them."""

"""Every act that the audit log knows."""

from __future__ import annotations

from enum import StrEnum


class Act(StrEnum):
    """What was done. The value is stored; it never changes its meaning."""

    SIGN_IN = "session.sign_in"
    SECOND_FACTOR = "session.second_factor"
    STEP_UP = "session.step_up"
    SIGN_OUT = "session.sign_out"
    SESSION_EXPIRE = "session.expire"
    SESSION_REVOKE = "session.revoke"
    REQUEST_REFUSE = "request.refuse"
    PASSWORD_CHANGE = "person.password_change"  # noqa: S105 (the name of an act)
    SECOND_FACTOR_SET_UP = "person.second_factor_set_up"
    SECOND_FACTOR_REMOVE = "person.second_factor_remove"
    RECOVERY_CODES_CREATE = "person.recovery_codes_create"
    PASSKEY_ADD = "person.passkey_add"
    PASSWORD_RESET = "person.password_reset"  # noqa: S105 (as above)
    EMAIL_CHANGE_ASK = "person.email_change_ask"
    EMAIL_CHANGE = "person.email_change"
    EMAIL_CHANGE_UNDO = "person.email_change_undo"
    TENANT_CREATE = "tenant.create"
    TENANT_CHANGE = "tenant.change"
    INVITATION_CREATE = "invitation.create"
    INVITATION_ACCEPT = "invitation.accept"
    INVITATION_REVOKE = "invitation.revoke"
    MEMBER_ADD = "member.add"
    MEMBER_ROLE_CHANGE = "member.role_change"
    MEMBER_REMOVE = "member.remove"
    MEMBER_LIST = "member.list"
    AUDIT_READ = "audit.read"
    LOG_EPOCH = "log.epoch"
    LOG_ENTRY_FAULT = "log.entry_fault"
    CONNECTION_CREATE = "connection.create"
    CONNECTION_VERIFY = "connection.verify"
    CONNECTION_CHANGE = "connection.change"
    CONNECTION_REMOVE = "connection.remove"
    COLLECTION_START = "collection.start"
    COLLECTION_FINISH = "collection.finish"
    EVIDENCE_SEAL = "evidence.seal"
    EVIDENCE_LIST = "evidence.list"
    EVIDENCE_READ = "evidence.read"
    EVIDENCE_EXPORT = "evidence.export"
    EVIDENCE_VERIFY = "evidence.verify"
    EVALUATION_FINISH = "evaluation.finish"
    POSTURE_READ = "posture.read"
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

    BUSINESS_ASSOCIATE_LIST = "business_associate.list"
    BUSINESS_ASSOCIATE_READ = "business_associate.read"
    BUSINESS_ASSOCIATE_CREATE = "business_associate.create"
    BUSINESS_ASSOCIATE_CHANGE = "business_associate.change"
    BUSINESS_ASSOCIATE_END = "business_associate.end"
    BUSINESS_ASSOCIATE_EXPORT = "business_associate.export"
    BUSINESS_ASSOCIATE_IMPORT_PREVIEW = "business_associate.import_preview"
    BUSINESS_ASSOCIATE_IMPORT = "business_associate.import"


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

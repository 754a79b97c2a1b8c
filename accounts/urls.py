"""Signing in, the session, the profile, members, the audit log."""

from __future__ import annotations

from django.urls import include, path

from accounts.views import (
    audit,
    audit_export,
    invitations,
    mailed,
    members,
    passkeys,
    policy,
    profile,
    session,
    sign_in,
    step_up,
    tenants,
)
from accounts.views import single_sign_on as sso
from accounts.views import single_sign_on_admin as sso_admin

urlpatterns = [
    path("scim/v2/", include("accounts.scim.urls")),
    path("sign-in/", sign_in.sign_in, name="sign-in"),
    path("sign-in/code/", sign_in.second_factor, name="second-factor"),
    path("sign-in/passkey/", passkeys.sign_in, name="passkey-sign-in"),
    path("sign-in/passkey/options/", passkeys.sign_in_options, name="passkey-sign-in-options"),
    path("sign-in/passkey/needed/", passkeys.needed, name="passkey-needed"),
    path("passkeys/confirm/options/", passkeys.confirm_options, name="passkey-confirm-options"),
    path("passkeys/new/options/", passkeys.creation_options, name="passkey-creation-options"),
    path("sign-in/forgotten/", mailed.forgotten, name="password-forgotten"),
    path("sign-in/forgotten/<str:token>/", mailed.reset, name="password-reset"),
    path("profile/email/", mailed.email, name="profile-email"),
    path("profile/email/confirm/<str:token>/", mailed.confirm_email, name="email-confirm"),
    path("email/undo/<str:token>/", mailed.undo_email, name="email-undo"),
    path("sign-in/set-up/", sign_in.set_up_second_factor, name="second-factor-set-up"),
    path("step-up/", step_up.step_up, name="step-up"),
    path("step-up/continue/", step_up.go_on, name="step-up-continue"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("session/status/", session.status, name="session-status"),
    path("session/extend/", session.extend, name="session-extend"),
    path("tenants/", tenants.tenant_list, name="tenant-list"),
    path("tenants/switch/", tenants.switch, name="tenant-switch"),
    path("profile/", profile.profile, name="profile"),
    path("profile/name/", profile.name, name="profile-name"),
    path("profile/theme/", profile.theme, name="profile-theme"),
    path("profile/password/", profile.password, name="profile-password"),
    path("profile/second-factor/", profile.second_factor, name="profile-second-factor"),
    path("profile/second-factor/remove/", profile.remove_app, name="profile-app-remove"),
    path("profile/passkeys/new/", passkeys.add, name="passkey-add"),
    path("profile/passkeys/<slug:passkey>/remove/", passkeys.remove, name="passkey-remove"),
    path("profile/recovery-codes/", profile.recovery_codes, name="profile-recovery-codes"),
    path("profile/sessions/end-others/", profile.end_other_sessions, name="profile-sessions-end-others"),
    path("profile/sessions/<slug:handle>/end/", profile.end_session, name="profile-session-end"),
    path("members/", members.member_list, name="member-list"),
    path("members/invite/", members.invite_member, name="member-invite"),
    path("members/<uuid:membership_id>/role/", members.member_role, name="member-role"),
    path("members/<uuid:membership_id>/remove/", members.member_remove, name="member-remove"),
    path(
        "members/invitations/<uuid:invitation_id>/revoke/",
        members.invitation_revoke,
        name="invitation-revoke",
    ),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("settings/sign-in/", policy.sign_in_policy, name="sign-in-policy"),
    path("audit/", audit.audit_log, name="audit-log"),
    path("sign-in/organisation/", sso.organisation, name="sso-organisation"),
    path("sso/step-up/", sso.step_up, name="sso-step-up"),
    path("sso/step-up/code/", sso.step_up_code, name="sso-step-up-code"),
    path("sso/<uuid:entrance>/start/", sso.start, name="sso-start"),
    path("sso/<uuid:entrance>/callback/", sso.callback, name="sso-callback"),
    path("sso/<uuid:entrance>/acs/", sso.acs, name="sso-acs"),
    path("sso/<uuid:entrance>/finish/", sso.finish, name="sso-finish"),
    path("sso/<uuid:entrance>/metadata/", sso.metadata, name="sso-metadata"),
    path("single-sign-on/", sso_admin.overview, name="sso"),
    path("single-sign-on/require/", sso_admin.require, name="sso-require"),
    path("single-sign-on/domains/add/", sso_admin.domain_add, name="sso-domain-add"),
    path("single-sign-on/domains/<uuid:domain_id>/check/", sso_admin.domain_check, name="sso-domain-check"),
    path(
        "single-sign-on/domains/<uuid:domain_id>/remove/", sso_admin.domain_remove, name="sso-domain-remove"
    ),
    path("single-sign-on/break-glass/add/", sso_admin.break_glass_add, name="sso-break-glass-add"),
    path(
        "single-sign-on/break-glass/<uuid:break_glass_id>/remove/",
        sso_admin.break_glass_remove,
        name="sso-break-glass-remove",
    ),
    path("single-sign-on/providers/add/", sso_admin.provider_add, name="sso-provider-add"),
    path("single-sign-on/providers/<uuid:provider_id>/", sso_admin.provider, name="sso-provider"),
    path(
        "single-sign-on/providers/<uuid:provider_id>/set-up/",
        sso_admin.provider_set_up,
        name="sso-provider-set-up",
    ),
    path(
        "single-sign-on/providers/<uuid:provider_id>/rules/",
        sso_admin.provider_rules,
        name="sso-provider-rules",
    ),
    path(
        "single-sign-on/providers/<uuid:provider_id>/test/", sso_admin.provider_test, name="sso-provider-test"
    ),
    path(
        "single-sign-on/providers/<uuid:provider_id>/enable/",
        sso_admin.provider_enable,
        name="sso-provider-enable",
    ),
    path(
        "single-sign-on/providers/<uuid:provider_id>/remove/",
        sso_admin.provider_remove,
        name="sso-provider-remove",
    ),
    path(
        "single-sign-on/providers/<uuid:provider_id>/groups/add/", sso_admin.group_add, name="sso-group-add"
    ),
    path("single-sign-on/groups/<uuid:group_id>/remove/", sso_admin.group_remove, name="sso-group-remove"),
    path("single-sign-on/links/<uuid:identity_id>/remove/", sso_admin.link_remove, name="sso-link-remove"),
    path("audit/entries/<uuid:entry_id>/", audit.audit_entry, name="audit-entry"),
    path("audit/export/", audit_export.audit_export, name="audit-export"),
]

"""Signing in, the session, the profile, members, the audit log."""

from __future__ import annotations

from django.urls import include, path

from accounts.views import (
    audit,
    invitations,
    members,
    passkeys,
    policy,
    profile,
    session,
    sign_in,
    step_up,
    tenants,
)

urlpatterns = [
    path("scim/v2/", include("accounts.scim.urls")),
    path("sign-in/", sign_in.sign_in, name="sign-in"),
    path("sign-in/code/", sign_in.second_factor, name="second-factor"),
    path("sign-in/passkey/", passkeys.sign_in, name="passkey-sign-in"),
    path("sign-in/passkey/options/", passkeys.sign_in_options, name="passkey-sign-in-options"),
    path("sign-in/passkey/needed/", passkeys.needed, name="passkey-needed"),
    path("passkeys/confirm/options/", passkeys.confirm_options, name="passkey-confirm-options"),
    path("passkeys/new/options/", passkeys.creation_options, name="passkey-creation-options"),
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
]

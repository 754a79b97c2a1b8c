"""Forms of signing in, members and the profile. They shape and validate; services decide."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from accounts.audit.events import Act, ActOutcome
from accounts.audit.search import Wanted
from accounts.audit.streams.models import StreamKind
from accounts.errors import InvalidInput
from accounts.permissions import Role

LONGEST_PASSWORD = 1024  # argon2 takes any length; a megabyte of it would only cost time


class RefusableForm(forms.Form):
    """A form that can show what a service refused, at the field that the refusal names."""

    def show(self, error: InvalidInput) -> None:
        self.add_error(error.field if error.field in self.fields else None, str(error))

    def first_error(self) -> str:
        """The name of the first field in error, for the focus; the first field of all where none is."""
        return next((name for name in self.fields if name in self.errors), next(iter(self.fields), ""))


def _password(label: str, autocomplete: str, help_text: str = "") -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(
        label=label, max_length=LONGEST_PASSWORD, strip=False, widget=widget, help_text=help_text
    )


def _new_password() -> forms.CharField:
    return _password("New password", "new-password", "At least 12 characters. A few random words do well.")


def _code(label: str, help_text: str) -> forms.CharField:
    attrs = {"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"}
    return forms.CharField(
        label=label, max_length=64, strip=False, help_text=help_text, widget=forms.TextInput(attrs=attrs)
    )


class SignInForm(RefusableForm):
    email = forms.CharField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = _password("Password", "current-password")


class CodeForm(RefusableForm):
    code = _code("Code", "The six digits that your authenticator app shows, or one of your recovery codes.")


class FirstCodeForm(RefusableForm):
    code = _code("Code from the app", "The six digits that the app shows now.")


class PasskeyForm(RefusableForm):
    """A passkey's name, and what the browser's script put beside it."""

    name = forms.CharField(
        label="Name of the passkey", max_length=64, help_text="Such as where it is kept: this laptop, a security key.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    credential = forms.CharField(required=False, widget=forms.HiddenInput)


class PolicyForm(RefusableForm):
    require_passkey = forms.BooleanField(
        label="Require a passkey of every member", required=False,
        help_text="Who signed in by password and code is asked for a passkey before this tenant opens, and led to add"
        " one where there is none yet.",
    )  # fmt: skip


class StepUpForm(RefusableForm):
    """Password and code again, before the second factor changes."""

    current = _password("Current password", "current-password")
    code = _code("Code", "The six digits that your authenticator app shows, or one of your recovery codes.")


class NameForm(RefusableForm):
    name = forms.CharField(
        label="Name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


class PasswordForm(RefusableForm):
    current = _password("Current password", "current-password")
    password = _new_password()


class NewPasswordForm(RefusableForm):
    password = _new_password()


class ForgottenForm(RefusableForm):
    email = forms.CharField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )


class EmailForm(RefusableForm):
    email = forms.EmailField(
        label="New e-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class NewPersonForm(RefusableForm):
    name = forms.CharField(
        label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = _new_password()


class RoleForm(RefusableForm):
    role = forms.ChoiceField(label="Role", initial=Role.VIEWER)

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = self.fields["role"]
        choices.choices = [(role.value, role.label) for role in roles]  # type: ignore[attr-defined]

    def chosen(self) -> Role:
        """The role, once the form is valid."""
        return Role(self.cleaned_data["role"])


class InvitationForm(RoleForm):
    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    ends_on = forms.DateField(
        label="Member until", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The last day of the membership (UTC), such as the end of an audit. Empty: without an end.",
    )  # fmt: skip
    field_order = ("email", "role", "ends_on")

    def clean_ends_on(self) -> datetime | None:
        """The end of the day, in UTC."""
        day = self.cleaned_data["ends_on"]
        end = datetime.combine(day, time.max, UTC) if day else None
        if end and end < timezone.now():
            raise forms.ValidationError("Choose a day that isn't over.")
        return end


class StreamForm(RefusableForm):
    """A stream of the audit log to be set up."""

    name = forms.CharField(label="Name", max_length=100)
    kind = forms.ChoiceField(label="Kind", choices=StreamKind.choices)
    target = forms.CharField(
        label="Receiver", max_length=2048,
        help_text="A webhook's address (https://siem.example.org/surety), or host:port of a syslog receiver.",
    )  # fmt: skip
    authority = forms.CharField(
        label="The receiver's own authority", required=False, max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Certificates in PEM form, for a syslog receiver that no public authority vouches for.",
    )  # fmt: skip
    from_start = forms.BooleanField(label="Begin with the log's first entry", required=False)

    def wanted(self) -> dict[str, Any]:
        """What accounts.services.streams.create_stream takes, once the form is valid."""
        return {**self.cleaned_data, "kind": StreamKind(self.cleaned_data["kind"])}


def _moment_input() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S")


class LongSelect(forms.Select):
    """A choice among hundreds, written at once: Django's own renders a template for each option."""

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: Any = None,  # noqa: ARG002 (as Django calls it)
    ) -> SafeString:
        widget = self.get_context(name, value, attrs)["widget"]
        listed = (
            (option["value"], mark_safe(" selected") if option["selected"] else "", option["label"])
            for _group, options, _index in widget["optgroups"]
            for option in options
        )
        options = format_html_join("", '<option value="{}"{}>{}</option>', listed)
        return format_html('<select name="{}"{}>{}</select>', name, flatatt(widget["attrs"]), options)


class AuditFilterForm(RefusableForm):
    """Filters of the audit log; times are UTC."""

    actor = forms.CharField(
        label="Who", required=False, max_length=254,
        widget=forms.TextInput(attrs={"list": "actors", "autocomplete": "off"}),
    )  # fmt: skip
    act = forms.ChoiceField(
        label="What",
        required=False,
        choices=[
            ("", "Everything"),
            *sorted(((act, act.label) for act in Act), key=lambda choice: choice[1]),
        ],
        widget=LongSelect,
    )
    outcome = forms.ChoiceField(
        label="Outcome", required=False, choices=[("", "Every outcome"), *((end, end) for end in ActOutcome)]
    )
    object = forms.CharField(label="Object's id", required=False, max_length=256)
    since = forms.DateTimeField(label="From (UTC)", required=False, widget=_moment_input())
    until = forms.DateTimeField(label="To (UTC)", required=False, widget=_moment_input())
    polling = forms.BooleanField(label="With pages that refresh themselves", required=False)

    def wanted(self, actor_id: str | None) -> Wanted:
        """What is looked for, once the form is valid."""
        given = self.cleaned_data
        return Wanted(
            actor_id, given["object"], Act(given["act"]) if given["act"] else None,
            ActOutcome(given["outcome"]) if given["outcome"] else None, given["since"], given["until"],
            given["polling"],
        )  # fmt: skip

"""Forms of single sign-on. They shape and validate; services decide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from accounts.forms import RefusableForm
from accounts.permissions import Role
from accounts.sso.models import JIT_ROLES, MAPPED_ROLES, IdentityProvider, ProviderKind, SecondFactorProof
from accounts.sso.providers import Rules

_PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


def _text(label: str, help_text: str = "", *, required: bool = True, longest: int = 255) -> forms.CharField:
    widget = forms.TextInput(attrs=_PLAIN)
    return forms.CharField(
        label=label, max_length=longest, required=required, help_text=help_text, widget=widget
    )


class OrganisationForm(RefusableForm):
    email = forms.CharField(
        label="E-mail address at work", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )  # fmt: skip


class DomainForm(RefusableForm):
    domain = _text("Domain", "What stands after the @ in your people's addresses, such as example.org.")


class ProviderForm(RefusableForm):
    """The first step: our addresses must exist before the provider can know them."""

    name = _text("Name", "How you call it here, such as Okta or Entra ID.", longest=100)
    kind = forms.ChoiceField(label="Protocol", choices=ProviderKind.choices)


class OidcForm(RefusableForm):
    issuer = _text("Issuer", "Its web address, exactly as the provider writes it.", longest=1000)
    client_id = _text("Client ID")
    client_secret = forms.CharField(
        label="Client secret", max_length=1024, required=False, strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Kept encrypted and never shown again. Empty: the one that is there stays.",
    )  # fmt: skip


class SamlForm(RefusableForm):
    metadata_url = _text(
        "Address of the metadata", "The web address of its metadata document.", required=False, longest=1000
    )
    metadata = forms.CharField(
        label="Or the metadata themselves", required=False, max_length=256 * 1024,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="The whole XML document. It counts before the address.",
    )  # fmt: skip


class RulesForm(RefusableForm):
    email_claim = _text("Claim or attribute with the e-mail address", required=False)
    groups_claim = _text("Claim or attribute with the groups", "Empty: groups give no roles.", required=False)
    proof = forms.ChoiceField(
        label="The provider's word counts as a second factor", choices=SecondFactorProof.choices
    )
    values = _text(
        "What says so", "Values of amr, acr or AuthnContextClassRef, separated by spaces. Empty: the usual ones.",
        required=False, longest=2000,
    )  # fmt: skip
    just_in_time = forms.BooleanField(
        label="New people of your domains become members when they first sign in", required=False
    )
    default_role = forms.ChoiceField(label="Their role, unless a group gives one")
    listed = forms.BooleanField(label="Found by e-mail address on the sign-in page", required=False)

    def __init__(self, *args: Any, provider: IdentityProvider, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self, "default_role", JIT_ROLES)
        self.fields["email_claim"].required = provider.is_oidc
        if not provider.is_oidc:
            self.fields["email_claim"].help_text = "Empty: the NameID is the address."

    def chosen(self) -> Rules:
        """The rules, once the form is valid."""
        said = self.cleaned_data
        return Rules(
            email_claim=said["email_claim"], groups_claim=said["groups_claim"], proof=SecondFactorProof(said["proof"]),
            values=tuple(said["values"].split()), just_in_time=said["just_in_time"],
            default_role=Role(said["default_role"]), listed=said["listed"],
        )  # fmt: skip


class GroupForm(RefusableForm):
    group = _text("Group", "Its name or ID, as the provider sends it.")
    role = forms.ChoiceField(label="Role", initial=Role.VIEWER)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self, "role", MAPPED_ROLES)


class BreakGlassForm(RefusableForm):
    membership = forms.UUIDField(label="Owner")
    reason = _text("Why this person", required=False, longest=200)


def initial_rules(provider: IdentityProvider) -> dict[str, Any]:
    """What the form of the rules begins with."""
    return {
        "email_claim": provider.email_claim, "groups_claim": provider.groups_claim,
        "proof": provider.provider_proves_second_factor, "values": " ".join(provider.second_factor_values),
        "just_in_time": provider.just_in_time, "default_role": provider.default_role, "listed": provider.listed,
    }  # fmt: skip


def _choose(form: forms.Form, field: str, roles: Iterable[Role]) -> None:
    form.fields[field].choices = [(role.value, role.label) for role in roles]  # type: ignore[attr-defined]

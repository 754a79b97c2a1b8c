"""Forms of webhooks."""

from __future__ import annotations

from datetime import UTC, datetime, time

from django import forms
from django.conf import settings

from accounts.errors import InvalidInput
from accounts.forms import RefusableForm
from accounts.outbound import UnsafeAddressError, check_url
from accounts.webhooks.events import SUBSCRIBABLE, EventType


class EndpointForm(RefusableForm):
    """Where a webhook leads, and what it is told of."""

    description = forms.CharField(label="Name", max_length=200, help_text="Such as: ticket system.")
    url = forms.CharField(
        label="Address", max_length=2048, widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    events = forms.MultipleChoiceField(
        label="Events", widget=forms.CheckboxSelectMultiple,
        choices=[(each.value, f"{each.words} ({each.value})") for each in SUBSCRIBABLE],
    )  # fmt: skip

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type] # as Django's forms take them
        scheme = "" if settings.OUTBOUND_PLAIN_HTTP else " It begins with https://."
        self.fields["url"].help_text = f"A public address; redirects are not followed.{scheme}"

    def clean_url(self) -> str:
        """An address that this server would go to, as far as can be told by its looks."""
        url: str = self.cleaned_data["url"].strip()
        try:
            check_url(url)
        except UnsafeAddressError as error:
            raise forms.ValidationError(str(error)) from error
        return url

    def chosen(self) -> tuple[EventType, ...]:
        """The events, once the form is valid."""
        return tuple(EventType(each) for each in self.cleaned_data["events"])


class ReplayForm(RefusableForm):
    """From when on dead letters are sent again."""

    since = forms.DateField(
        label="Dead letters of events since (UTC)", widget=forms.DateInput(attrs={"type": "date"})
    )

    def moment(self) -> datetime:
        """The beginning of the day, in UTC. Raises InvalidInput where none was given."""
        if not self.is_valid():
            raise InvalidInput("Give a day.", field="since")
        return datetime.combine(self.cleaned_data["since"], time.min, UTC)

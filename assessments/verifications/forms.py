"""Forms of verifications: shape alone; services judge."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from accounts.forms import RefusableForm
from assessments.rule.model import SECURITY_RULE, Family
from assessments.rule.proposed import RuleSet
from assessments.verifications.models import Answer, VerificationPacket
from assessments.verifications.services.drafting import PacketTerms

NO_PHI = "Never write PHI here."


def _text(
    label: str, *, most: int, rows: int = 4, required: bool = True, help_text: str = ""
) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=most, required=required, help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )  # fmt: skip


class PacketForm(RefusableForm):
    title = forms.CharField(label="Title", max_length=200, help_text="Such as: Verification 2026.")
    covers = _text(
        "What it covers", most=4000, required=False,
        help_text=f"The services and systems that the analysis is about, in words for every reader. {NO_PHI}",
    )  # fmt: skip
    additions = _text(
        "Additions of the expert", most=10000, rows=6, required=False,
        help_text=f"What the evidence can't show: other systems, decisions, plans for gaps. {NO_PHI}",
    )  # fmt: skip
    rules = forms.ChoiceField(
        label="Beside which text", choices=[(each.value, each.label) for each in RuleSet],
        help_text="Statuses always follow the Rule in force. The proposal's text is shown beside them, labelled so.",
    )  # fmt: skip
    citations = forms.MultipleChoiceField(
        label="Further safeguards", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="All technical safeguards (164.312) are in it. Tick others to add them.",
        choices=[
            (each.citation, f"{each.citation} {each.title}")
            for each in SECURITY_RULE.values() if each.family is not Family.TECHNICAL
        ],
    )  # fmt: skip

    def terms(self) -> PacketTerms:
        """The terms, once the form is valid."""
        given = self.cleaned_data
        return PacketTerms(
            given["title"],
            given["covers"],
            given["additions"],
            RuleSet(given["rules"]),
            tuple(given["citations"]),
        )

    @staticmethod
    def values_of(packet: VerificationPacket) -> dict[str, Any]:
        """What the form shows of a packet that is there."""
        return {
            "title": packet.title, "covers": packet.covers, "additions": packet.additions, "rules": packet.rule_set,
            "citations": packet.citations,
        }  # fmt: skip

    @staticmethod
    def first_values(rules: RuleSet) -> dict[str, Any]:
        """What is proposed for a new one."""
        return {"title": f"Verification {timezone.now().year}", "rules": rules.value}


class SectionForm(RefusableForm):
    analysis = _text("Analysis", most=10000, rows=14, help_text=f"Empty lines part paragraphs. {NO_PHI}")


class RecipientForm(RefusableForm):
    scope = _text(
        "What of your work for it the packet covers", most=2000, required=False,
        help_text=f"It alone reads this, beside the document. {NO_PHI}",
    )  # fmt: skip
    included = forms.BooleanField(label="The packet is for this covered entity", required=False)


class DeliverForm(RefusableForm):
    scope = RecipientForm.base_fields["scope"]


class ReviewForm(RefusableForm):
    name = forms.CharField(label="Expert's name", max_length=200)
    qualification = forms.CharField(
        label="Qualification", max_length=400, help_text="Such as: CISSP; head of security since 2019."
    )
    reviewed_on = forms.DateField(
        label="Reviewed on", widget=forms.DateInput(attrs={"type": "date"}), help_text="The day, UTC."
    )


class CertifyForm(RefusableForm):
    title = forms.CharField(
        label="Your title", max_length=200, help_text="Such as: Chief Information Officer."
    )
    authority = forms.CharField(
        label="Your authority", max_length=400,
        help_text="What allows you to certify for the organisation, such as: resolution of the board of 3 March 2026.",
    )  # fmt: skip
    confirmed = forms.BooleanField(label="I have read the document, and I certify it")


class AnswerForm(RefusableForm):
    answer = forms.ChoiceField(
        label="Your answer",
        widget=forms.RadioSelect,
        choices=[(Answer.ACCEPTED.value, "Accept"), (Answer.REFUSED.value, "Refuse")],
    )
    reasons = _text("Reasons", most=4000, required=False, help_text=f"Needed for a refusal. {NO_PHI}")

"""What a guest's link opens: one questionnaire, answered section by section and handed in, without an account."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import public
from accounts.requests import client_address
from accounts.views.pages import form_page, say
from assessments.questionnaires import answering
from assessments.questionnaires.forms import SectionForm
from assessments.questionnaires.guests import as_guest
from assessments.questionnaires.views.received import find_section, last_reviews, section_counts


@public
@require_safe
def home(request: HttpRequest, token: str) -> HttpResponse:
    with as_guest(token=token, address=client_address(request)) as guest:
        work = answering.read_work(guest.questionnaire)
        page = TemplateResponse(
            request, "questionnaires/guest.html",
            {"questionnaire": guest.questionnaire, "link": guest.link, "work": work, "token": token,
             "sections": section_counts(work)},
        )  # fmt: skip
        return page.render()


@public
@require_http_methods(["GET", "HEAD", "POST"])
def section(request: HttpRequest, token: str, section_key: str) -> HttpResponse:
    with as_guest(token=token, address=client_address(request)) as guest:
        work = answering.read_work(guest.questionnaire)
        place = find_section(work, section_key)
        form = SectionForm(
            request.POST if request.method == "POST" else None, section=place, entries=work.entries
        )
        if request.method == "POST" and form.is_valid():
            answering.save_answers(guest.questionnaire, form.given())
            say(request, f"“{place.title}” is saved.")
            return redirect("questionnaire-guest", token)
        page = form_page(
            request, "questionnaires/guest_section.html", form, questionnaire=guest.questionnaire, work=work,
            section=place, rows=list(form.rows(last_reviews(guest.questionnaire))), token=token,
        )  # fmt: skip
        return page.render()


@public
@require_POST
def hand_in(request: HttpRequest, token: str) -> HttpResponse:
    with as_guest(token=token, address=client_address(request)) as guest:
        answering.hand_in(guest.questionnaire, by=guest.link.email, way="link")
        say(request, f"Your answers are handed in to {guest.questionnaire.upstream_name}.")
        return redirect("questionnaire-guest", token)

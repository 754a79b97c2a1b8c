"""Templates of a tenant's own: copied from one that ships or from another, changed question by question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.text import slugify

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person
from assessments.questionnaires.content import Content, Question, Section, parse, shipped
from assessments.questionnaires.models import QuestionnaireTemplate, TemplateVersion


@dataclass(frozen=True, slots=True)
class Source:
    """What a questionnaire is sent from: a shipped template, or the newest version of an own one."""

    key: str
    title: str
    version: int
    content: Content


def list_sources() -> list[Source]:
    """Everything that can be copied or sent: the shipped ones, then the tenant's own by title."""
    own = [_own_source(template) for template in QuestionnaireTemplate.objects.order_by("title")]
    return [*(Source(each.key, each.title, each.version, each.content) for each in shipped().values()), *own]


def find_source(key: str) -> Source:
    """A shipped template by key, or an own one by id. Raises NotFound."""
    found = shipped().get(key)
    if found:
        return Source(found.key, found.title, found.version, found.content)
    try:
        return _own_source(find_template(template_id=UUID(key)))
    except ValueError as error:
        raise NotFound(_NO_TEMPLATE) from error


def find_template(*, template_id: UUID) -> QuestionnaireTemplate:
    """One of the tenant's own. Raises NotFound."""
    found = QuestionnaireTemplate.objects.filter(pk=template_id).first()
    if found is None:
        raise NotFound(_NO_TEMPLATE)
    return found


def newest_version(template: QuestionnaireTemplate) -> TemplateVersion:
    """The version that is changed and sent now."""
    found: TemplateVersion = template.versions.order_by("-number")[0]
    return found


def copy_template(*, source: str, title: str, by: Person) -> QuestionnaireTemplate:
    """A new template with the questions of another. Raises NotFound."""
    found = find_source(source)
    template = QuestionnaireTemplate.objects.create(title=title, origin=found.key, created_by=by)
    TemplateVersion.objects.create(template=template, number=1, content=found.content.as_json())
    _record(template, 1, copied_from=found.key)
    return template


def rename_template(*, template_id: UUID, title: str) -> QuestionnaireTemplate:
    """Gives a template another title; questionnaires that were sent keep theirs."""
    template = find_template(template_id=template_id)
    template.title = title
    template.save(update_fields=["title"])
    _record(template, newest_version(template).number)
    return template


def keep_question(
    *, template_id: UUID, section: str, question: Question, replacing: str = ""
) -> TemplateVersion:
    """Writes a new question at the end of the section of that title, or puts it in the place of `replacing`.

    A section that isn't there yet is made. Raises InvalidInput for a key that is taken, NotFound.
    """

    def change(content: Content) -> Content:
        if replacing:
            place = _section_of(content, replacing)
            if place.title == section:
                questions = tuple(question if each.key == replacing else each for each in place.questions)
                return _with_section(content, replace(place, questions=questions))
            content = _without(content, replacing)
        return _appended(content, section, question)

    return _change(template_id, change, question.key)


def remove_question(*, template_id: UUID, key: str) -> TemplateVersion:
    """Takes a question out, and its section when it was the last one of it. Raises NotFound."""

    def change(content: Content) -> Content:
        _section_of(content, key)
        return _without(content, key)

    return _change(template_id, change, key)


def new_key(content: Content, prompt: str) -> str:
    """A key for a new question, made of its words."""
    base = slugify(prompt)[:48].strip("-") or "question"
    taken = {question.key for question in content.questions}
    return next(key for key in (base, *(f"{base}-{number}" for number in range(2, 1000))) if key not in taken)


def freeze(source: Source) -> None:
    """Freezes the version that a questionnaire is sent from; the next change makes another. Shipped ones never change.

    Raises Conflict where the version was changed meanwhile.
    """
    if source.key in shipped():
        return
    found = TemplateVersion.objects.select_for_update().get(
        template_id=UUID(source.key), number=source.version
    )
    if parse(found.content) != source.content:
        raise Conflict("The template was changed meanwhile. Look at it, then send it.")
    if found.frozen_at is None:
        found.frozen_at = timezone.now()
        found.save(update_fields=["frozen_at"])


def _own_source(template: QuestionnaireTemplate) -> Source:
    version = newest_version(template)
    return Source(str(template.pk), template.title, version.number, parse(version.content))


def _change(template_id: UUID, change: Callable[[Content], Content], key: str) -> TemplateVersion:
    template = find_template(template_id=template_id)
    version: TemplateVersion = template.versions.select_for_update().order_by("-number")[0]
    changed = change(parse(version.content)).as_json()
    if version.frozen_at:
        version = TemplateVersion.objects.create(
            template=template, number=version.number + 1, content=changed
        )
    else:
        version.content = changed
        version.save(update_fields=["content", "changed_at"])
    _record(template, version.number, question=key)
    return version


def _section_of(content: Content, key: str) -> Section:
    found = next((each for each in content.sections if any(q.key == key for q in each.questions)), None)
    if found is None:
        raise NotFound("The template has no such question.")
    return found


def _with_section(content: Content, section: Section) -> Content:
    return Content(tuple(section if each.key == section.key else each for each in content.sections))


def _without(content: Content, key: str) -> Content:
    left = (
        replace(each, questions=tuple(question for question in each.questions if question.key != key))
        for each in content.sections
    )
    return Content(tuple(each for each in left if each.questions))


def _appended(content: Content, title: str, question: Question) -> Content:
    place = next((each for each in content.sections if each.title == title), None)
    if place:
        return _with_section(content, replace(place, questions=(*place.questions, question)))
    key = slugify(title)[:64].strip("-") or "section"
    if content.section(key):
        raise InvalidInput(
            "Another section has nearly this title. Choose it, or another title.", field="section"
        )
    return Content((*content.sections, Section(key, title, (question,))))


def _record(template: QuestionnaireTemplate, version: int, **details: Any) -> None:
    record(
        Act.QUESTIONNAIRE_TEMPLATE_CHANGE,
        object_type="questionnaire_template",
        object_id=template.pk,
        version=version,
        **details,
    )


_NO_TEMPLATE = "There is no such template."

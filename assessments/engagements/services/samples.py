"""Samples: a population is frozen, then the auditor gives a seed, and arithmetic chooses (sampling.py)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import IntegrityError

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput
from accounts.tenancy.scope import savepoint
from assessments.engagements import sampling, scope
from assessments.engagements.models import Extent, Result
from assessments.engagements.services.populations import Source, list_population
from assessments.models import Engagement, Sample, SampleDraw, SampleItem, SampleResult

WHOLE_PERIOD = "the whole period"
"""The seed of a test of the period: every day is drawn, whatever the seed."""


def freeze_population(
    *,
    engagement: Engagement,
    citation: str,
    title: str,
    extent: Extent,
    source: Source,
    subject: str,
    by: UUID,
) -> Sample:
    """Writes down what there is to choose from, with its digest. A test of the period draws every day at once.

    Raises NotFound for a safeguard beyond the scope, InvalidInput for a population without items or with too many.
    """
    scope.find_safeguard(engagement, citation)
    if (extent is Extent.PERIOD) != (source is Source.DAYS):
        raise InvalidInput("A test of the period, and no other, is about its days.", field="source")
    population = sampling.freeze(list_population(engagement, citation, source, subject))
    sample = Sample.objects.create(
        engagement=engagement, citation=citation, title=title, extent=extent, source=source, subject=subject,
        population=population, population_sha256=sampling.population_sha256(population), frozen_by_id=by,
    )  # fmt: skip
    if extent is Extent.PERIOD:
        _draw(sample, WHOLE_PERIOD, len(population), by)
    record(
        Act.SAMPLE_FREEZE, object_type="sample", object_id=sample.pk, engagement=str(engagement.pk),
        items=len(population), population_sha256=sample.population_sha256,
    )  # fmt: skip
    return sample


def draw_sample(*, sample: Sample, seed: str, size: int, by: UUID) -> None:
    """Draws by the auditor's seed. Raises InvalidInput for a size that can't be, Conflict where it was drawn before."""
    if not seed.strip() or "\n" in seed:
        raise InvalidInput("Give one line of text.", field="seed")
    wanted = 1 if sample.extent == Extent.ONE else size
    if not 0 < wanted <= len(sample.population):
        raise InvalidInput(f"Choose a number from 1 to {len(sample.population)}.", field="size")
    _draw(sample, seed.strip(), wanted, by)
    record(
        Act.SAMPLE_DRAW, object_type="sample", object_id=sample.pk, engagement=str(sample.engagement_id),
        seed=seed.strip(), size=wanted,
    )  # fmt: skip


def _draw(sample: Sample, seed: str, size: int, by: UUID) -> None:
    try:
        with savepoint():
            SampleDraw.objects.create(sample=sample, seed=seed, size=size, drawn_by_id=by)
    except IntegrityError as error:
        raise Conflict("This sample was drawn already; a seed is given once.") from error
    drawn = sampling.draw(sample.population, seed, size)
    SampleItem.objects.bulk_create(
        SampleItem(sample=sample, position=position, item=item) for position, item in enumerate(drawn)
    )


def replace_item(*, item: SampleItem, reason: str) -> SampleItem:
    """Puts the next item by rank in the place of one that can't be tested.

    Raises InvalidInput without a reason, Conflict where it was replaced before or no item is left.
    """
    if not reason.strip():
        raise InvalidInput("Say why the item can't be tested.", field="reason")
    sample, draw = item.sample, item.sample.draws.get()
    used = sample.items.count()
    following = sampling.replacement(sample.population, draw.seed, used)
    if following is None:
        raise Conflict("Every item of the population is in the sample already.")
    try:
        with savepoint():
            made: SampleItem = SampleItem.objects.create(
                sample=sample, position=used, item=following, replaces=item, reason=reason.strip()
            )
    except IntegrityError as error:
        raise Conflict("This item was replaced already.") from error
    record(
        Act.SAMPLE_REPLACE, object_type="sample", object_id=sample.pk, engagement=str(sample.engagement_id),
        position=item.position, by=made.position,
    )  # fmt: skip
    return made


def judge_item(*, item: SampleItem, result: Result, note: str, by: UUID) -> SampleResult:
    """Says what the test of an item found; an earlier result stays as a version.

    Raises Conflict for an item that was replaced, InvalidInput without a note where one is due.
    """
    if item.replacements.exists():
        raise Conflict("This item was replaced.")
    if result is not Result.EFFECTIVE and not note.strip():
        raise InvalidInput("Say why in a note.", field="note")
    version = item.results.count() + 1
    try:
        with savepoint():
            made: SampleResult = SampleResult.objects.create(
                item=item, version=version, result=result, note=note.strip(), author_id=by
            )
    except IntegrityError as error:
        raise Conflict("Somebody judged this item at the same time.") from error
    record(
        Act.SAMPLE_JUDGE, object_type="sample", object_id=item.sample_id,
        engagement=str(item.sample.engagement_id), position=item.position, result=str(result),
    )  # fmt: skip
    return made


def sample_document(sample: Sample) -> dict[str, Any]:
    """A sample as packages hold it: anybody can draw it again from the population and the seed."""
    draw = sample.draws.first()
    items = list(sample.items.select_related("replaces").order_by("position"))
    return {
        "id": str(sample.pk), "title": sample.title, "citation": sample.citation, "extent": sample.extent,
        "source": sample.source, "subject": sample.subject,
        "population": sample.population, "population_sha256": sample.population_sha256,
        "seed": draw.seed if draw else None, "size": draw.size if draw else 0,
        "drawn": [each.item for each in items if each.replaces is None],
        "replacements": [
            {"out": each.replaces.item, "in": each.item, "reason": each.reason} for each in items if each.replaces
        ],
        "results": [
            {"item": each.item, "result": found.result, "note": found.note}
            for each in items if (found := each.results.order_by("-version").first())
        ],
    }  # fmt: skip

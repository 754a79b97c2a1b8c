"""When packages of evidence are removed, for the calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from assessments.duties.types import Duty
from assessments.packages.models import Package, PackageState


def duties(since: datetime, until: datetime) -> Iterable[Duty]:
    """The packages that are kept until a time in [since, until)."""
    now = timezone.now()
    rows = Package.objects.filter(state=PackageState.READY, keep_until__gte=since, keep_until__lt=until)
    for row in rows:
        if row.keep_until:
            yield Duty(
                row.keep_until, f"The package of {row.period_from} to {row.period_to} is removed",
                "Download it before, or make it anew from the evidence, which stays.",
                reverse("package-detail", args=[row.pk]), done=row.keep_until <= now, key=f"package-end:{row.pk}",
                brief="A package of evidence is removed",
            )  # fmt: skip

"""Times of notices: in the zone of who looks, and how long is left."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from assessments.notices.clocks import left_words, zone_named
from portal.templatetags.portal import status

register = template.Library()


@register.simple_tag
def local(at: datetime, zone: str) -> SafeString:
    """A time as clocks in the zone show it, with its offset; the exact UTC time in the element and its title."""
    shown = at.astimezone(zone_named(zone))
    return format_html(
        '<time datetime="{}" title="{} UTC">{} {}</time>', at.isoformat(), f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        f"{shown:%Y-%m-%d %H:%M:%S}", shown.tzname(),
    )  # fmt: skip


@register.simple_tag
def left(at: datetime) -> str:
    """How long is left until then, or how long ago it passed."""
    return left_words(at, timezone.now())


@register.simple_tag
def clock_word(at: datetime) -> SafeString:
    """The same as a status."""
    now = timezone.now()
    return status("overdue" if now >= at else "waiting", left_words(at, now))

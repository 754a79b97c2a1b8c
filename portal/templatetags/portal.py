"""Pieces of pages: icons, status words, bars, times, fields, and links that keep a list's filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select, Widget
from django.forms.boundfield import BoundWidget
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from evidence.types import GapReason

register = template.Library()

PHRASE, SENTENCE, MANY = 45, 90, 24
"""Letters of a choice from which on it takes a wide column, and a line of its own; choices that scroll in a box."""

ICONS = Path(settings.BASE_DIR) / "node_modules" / "@tabler" / "icons" / "icons"

STATUS_LOOKS: Mapping[str, tuple[str, str]] = {
    "satisfied": ("ok", "circle-check"),
    "not_satisfied": ("gap", "alert-circle"),
    "undetermined": ("none", "circle-dashed"),
    "not_applicable": ("na", "circle-minus"),
    "PASS": ("ok", "circle-check"),
    "FAIL": ("gap", "alert-circle"),
    "UNKNOWN": ("unseen", "eye-off"),
    "NOT_APPLICABLE": ("na", "circle-minus"),
    "critical": ("critical", "flame"),
    "high": ("high", "chevrons-up"),
    "medium": ("medium", "chevron-up"),
    "low": ("low", "chevron-down"),
    "verified": ("ok", "circle-check"),
    "pending": ("none", "circle-dashed"),
    "broken": ("gap", "alert-circle"),
    "removed": ("na", "circle-minus"),
    "complete": ("ok", "circle-check"),
    "partial": ("unseen", "eye-off"),
    "failed": ("gap", "alert-circle"),
    "running": ("running", "loader-2"),
    "claimed": ("running", "loader-2"),
    "finished": ("na", "circle-check"),
    "done": ("ok", "circle-check"),
    "waiting": ("none", "clock"),
    "building": ("running", "loader-2"),
    "ready": ("ok", "circle-check"),
    "withheld": ("unseen", "eye-off"),
    "asked": ("none", "circle-dashed"),
    "answered": ("running", "message"),
    "need_more": ("unseen", "arrow-back-up"),
    "accepted": ("ok", "circle-check"),
    "withdrawn": ("na", "circle-minus"),
    "overdue": ("gap", "clock-exclamation"),
    "received": ("ok", "circle-check"),
    "due": ("none", "clock"),
    "refused": ("gap", "alert-circle"),
    "quarantined": ("unseen", "lock"),
    "deleted": ("na", "trash"),
    "block": ("gap", "alert-circle"),
    "sent": ("none", "send"),
    "in_work": ("running", "pencil"),
    "submitted": ("running", "inbox"),
    "in_review": ("running", "eye"),
    "more_needed": ("unseen", "arrow-back-up"),
    "effective": ("ok", "circle-check"),
    "not_effective": ("gap", "alert-circle"),
    "not_tested": ("na", "circle-minus"),
    "not_concluded": ("none", "circle-dashed"),
    "open": ("ok", "lock-open"),
    "not yet open": ("none", "clock"),
    "over": ("na", "lock"),
    "ended": ("na", "lock"),
    "draft": ("none", "pencil"),
    "negotiation": ("running", "messages"),
    "signed": ("running", "writing"),
    "in_force": ("ok", "circle-check"),
    "expiring": ("unseen", "clock-exclamation"),
    "expired": ("gap", "clock-x"),
    "terminated": ("na", "lock"),
    "present": ("ok", "circle-check"),
    "missing": ("gap", "alert-circle"),
    "to come": ("none", "clock"),
    "revoked": ("na", "eye-off"),
    "gone": ("ok", "circle-check"),
    "there": ("gap", "alert-circle"),
    "unknown": ("unseen", "eye-off"),
    "review": ("running", "eye"),
    "more": ("unseen", "arrow-back-up"),
    "closed": ("na", "lock"),
    "incomplete": ("unseen", "clock"),
    "agrees": ("ok", "circle-check"),
    "disagrees": ("gap", "arrows-diff"),
    "not_compared": ("none", "circle-dashed"),
}
"""How a status, outcome, severity or state looks: (class, icon). The word always stands beside it."""

PAINT = {
    "filled": 'fill="currentColor"',
    "outline": 'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round"'
    ' stroke-linejoin="round"',
}
_UNITS = ((86400 * 365, "year"), (86400 * 30, "month"), (86400, "day"), (3600, "hour"), (60, "minute"))


@cache
def _icon(name: str, style: str) -> str:
    source = (ICONS / style / f"{name}.svg").read_text(encoding="utf-8")
    body = source[source.index(">", source.index("<svg")) + 1 : source.rindex("</svg>")]
    return " ".join(
        f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" {PAINT[style]}>{body}</svg>'.split()
    )


@register.simple_tag
def icon(name: str, style: str = "outline") -> SafeString:
    """A Tabler icon, inline, hidden from assistive technology. Raises FileNotFoundError."""
    return mark_safe(_icon(name, style))  # noqa: S308 (a file of the icon package, chosen by a template)


@register.simple_tag
def status(value: str, word: str = "") -> SafeString:
    """A status, outcome, severity or state as colour, icon and word."""
    return _status(str(value), word)


@lru_cache(maxsize=1000)
def _status(value: str, word: str) -> SafeString:
    look, name = STATUS_LOOKS[value]
    said = word or value.replace("_", " ").lower()
    return format_html('<span class="status-word is-{}">{}<span>{}</span></span>', look, icon(name), said)


@register.simple_tag
def bar(label: str, total: int, **parts: int) -> SafeString:
    """A bar of parts of a total as SVG, since the content security policy forbids widths in style attributes.

    A part's name is its class: `{% bar "3 of 40 fail" 40 gap=3 ok=37 %}`.
    """
    left, rects = 0.0, []
    for look, count in parts.items():
        share = 100 * count / total if total else 0
        if share:
            rects.append(
                format_html(
                    '<rect class="is-{}" x="{}%" width="{}%" height="100%"/>',
                    look,
                    f"{left:.2f}",
                    f"{share:.2f}",
                )
            )
        left += share
    inside = mark_safe("".join(rects))  # noqa: S308 (each was made by format_html)
    return format_html('<svg class="bar" role="img" aria-label="{}">{}</svg>', label, inside)


@register.simple_tag
def moment(at: datetime | str | None, empty: str = "never") -> SafeString | str:
    """A time as its distance from now, with the exact UTC time in the element and its title."""
    if not isinstance(at, datetime):  # templates give "" for what isn't there
        return empty
    exact = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, distance(at, timezone.now())
    )


@register.simple_tag
def instant(at: datetime | str | None, empty: str = "never") -> SafeString | str:
    """A time in full, in UTC."""
    if not isinstance(at, datetime):  # templates give "" for what isn't there
        return empty
    return format_html(
        '<time datetime="{}">{} UTC</time>', at.isoformat(), f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    )


def distance(at: datetime, now: datetime) -> str:
    """How far a time is from now: 3 hours ago, in 2 days, just now."""
    seconds = (now - at).total_seconds()
    for length, unit in _UNITS:
        if abs(seconds) >= length:
            count = int(abs(seconds) // length)
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return "just now" if seconds >= 0 else "in a moment"


@register.simple_tag
def percent(part: int, total: int) -> str:
    """A share in whole percent, cut off downwards so that 100% means all; "none" where there is nothing."""
    return f"{100 * part // total}%" if total else "none"


@register.simple_tag(takes_context=True)
def address(context: Mapping[str, Any], **changes: Any) -> str:
    """This page's query with some parameters changed, and paging begun anew: `?severity=high&region=…`."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for name in ("after", "page"):
        query.pop(name, None)
    for name, value in changes.items():
        if value in ("", None):
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.filter
def count(number: int, noun: str) -> str:
    """A number and its noun: 1 check, 1,204 checks. A plural of its own follows a comma: "policy,policies"."""
    one, _, many = noun.partition(",")
    return f"{number:,} {one if number == 1 else many or one + 's'}"


@register.filter
def breakable(name: str) -> SafeString:
    """A check's name that a narrow column breaks after an underscore, not inside of a word."""
    return format_html_join(mark_safe("_<wbr>"), "{}", ((part,) for part in name.split("_")))


@register.filter
def get(mapping: Mapping[Any, Any], key: object) -> Any:
    """mapping[key], or None."""
    return mapping.get(key)


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, *, autofocus: bool = False) -> dict[str, Any]:
    """A form's field with label, help and errors, tied together for assistive technology."""
    widget = bound.field.widget
    said_by = " ".join(
        f"{bound.auto_id}_{part}"
        for part, there in (("help", bound.help_text), ("error", bound.errors))
        if there
    )
    if isinstance(widget, (CheckboxSelectMultiple, RadioSelect)):
        boxes = list(_boxes(bound))
        return {"field": bound, "said_by": said_by, "boxes": boxes, "shape": _shape(boxes)}
    single = isinstance(widget, CheckboxInput)
    attrs: dict[str, Any] = {"class": f"{widget.attrs.get('class', '')} {_look(widget)}".strip()}
    if said_by:
        attrs["aria-describedby"] = said_by
    if bound.errors:
        attrs |= {"aria-invalid": "true", "class": f"{attrs['class']} is-invalid"}
    if autofocus:
        attrs["autofocus"] = True
    return {"field": bound, "control": bound.as_widget(attrs=attrs), "single": single}


def _look(widget: Widget) -> str:
    if isinstance(widget, CheckboxInput):
        return "form-check-input"
    return "form-select" if isinstance(widget, Select) else "form-control"


def _boxes(bound: BoundField) -> Iterable[BoundWidget]:
    """The boxes of a choice. Django would give a class for them to the element around them, too."""
    for box in bound:
        box.data["attrs"]["class"] = "form-check-input"
        yield box


def _shape(boxes: Sequence[BoundWidget]) -> str:
    """Classes of the style sheet: sentences stand in one column, phrases in wide ones; very many scroll in a box."""
    longest = max((len(str(box.choice_label)) for box in boxes), default=0)
    wide = " is-list" if longest > SENTENCE else " is-long" if longest > PHRASE else ""
    return f"{wide} is-many" if len(boxes) > MANY else wide


@register.simple_tag
def control(bound: BoundField) -> SafeString:
    """A filter's field alone, in the look of its kind, with what is wrong about it; its label stands beside it."""
    attrs: dict[str, str | bool] = {"class": _look(bound.field.widget)}
    if not bound.errors:
        return bound.as_widget(attrs=attrs)
    error = f"{bound.auto_id}_error"
    attrs |= {"class": f"{attrs['class']} is-invalid", "aria-invalid": "true", "aria-describedby": error}
    words = " ".join(str(each) for each in bound.errors)
    return format_html(
        '{}<div class="field-error" id="{}">{}</div>', bound.as_widget(attrs=attrs), error, words
    )


@register.filter
def gap_words(reason: str) -> str:
    """A gap's reason in words."""
    return GapReason(reason).label


@register.filter
def timesince_words(start: datetime, end: datetime) -> str:
    """A duration: "42 s", "3 min 5 s", "2 h 4 min"."""
    seconds = round((end - start).total_seconds())
    minutes, hours = seconds // 60, seconds // 3600
    if seconds < 60:  # noqa: PLR2004 (a minute)
        return f"{seconds} s"
    return f"{minutes} min {seconds % 60} s" if not hours else f"{hours} h {minutes % 60} min"


@register.filter
def request_id(entry: str | list[str]) -> str:
    """A recorded request ID with its operation."""
    return entry if isinstance(entry, str) else " ".join(str(part) for part in entry)


@register.filter
def outcome_words(outcome: str) -> str:
    """A finding's outcome in words; UNKNOWN is "not seen", which says why."""
    return {"PASS": "passes", "FAIL": "fails", "UNKNOWN": "not seen", "NOT_APPLICABLE": "not applicable"}[
        outcome
    ]

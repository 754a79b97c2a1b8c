"""Patterns of identifiers, each with the rule that its value keeps and the words that must stand before it.

Patterns are bounded and run over pieces of at most 4,000 characters, so that no text takes long. A context is looked
for in the 60 characters before a value, and in the column's or key's name. What config evidence is full of (dates,
numbers, names of things) counts only with its context.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from evidence.phi import digits
from evidence.phi.kinds import Kind, Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Recogniser:
    """One form of one identifier. The group `v` is the value where the pattern holds more."""

    kind: Kind
    weight: Weight
    confidence: float
    pattern: re.Pattern[str]
    context: re.Pattern[str] | None = None
    valid: Callable[[str], bool] | None = None
    needs: str = ""
    """In RE2's syntax, what stands in every text where this finds something, if the pattern itself (sieve.py) would
    let too many through."""


def _words(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{text})(?![a-z])", re.IGNORECASE)


_BEFORE, _AFTER = r"(?<![\w./:@-])", r"(?![\w/@-])"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DATE = (
    rf"{_BEFORE}(?:\d{{1,2}}[/.-]\d{{1,2}}[/.-](?:\d{{4}}|\d{{2}})|(?:18|19|20)\d{{2}}-\d{{2}}-\d{{2}}"
    rf"|{_MONTH} \d{{1,2}},? \d{{4}}|\d{{1,2}} {_MONTH} \d{{4}})(?![\d-])"
)
_PERSON = r"[A-Z][a-z'\u2019-]{1,20}(?:,? (?:[A-Z]\.|[A-Z][a-z'\u2019-]{1,20}(?:-[A-Z][a-z]{1,20})?)){1,3}"
_ID = r"(?<![\w.-])(?=[A-Z0-9-]{0,20}\d)[A-Z0-9][A-Z0-9-]{3,19}(?![\w-])"
_PATIENT = (
    r"patient|pt|member|subscriber|beneficiary|guarantor|guardian|insured|enrollee|next of kin|decedent"
)
_MBI = r"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}"
_STREET = (
    r"Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Terrace|Way|Circle|Cir|Parkway|Pkwy"
    r"|Highway|Hwy|Square|Trail|Crossing|Ridge|Plaza|Points?|Heights|Hills?|Alley|Row|Loop|Path|Run|Views?"
    r"|Walks?|Turnpike|Bridge|Brook|Canyon|Center|Cove|Creek|Estates?|Expressway|Extension|Falls|Ferry|Fields?|Flats?"
    r"|Forest|Fork|Gardens?|Gateway|Glens?|Green|Grove|Harbors?|Haven|Hollow|Inlet|Island|Junctions?|Keys?|Knolls?|Lakes?"
    r"|Landing|Manors?|Meadows?|Mews|Mills?|Mission|Mountains?|Orchard|Oval|Park|Parks|Pass|Pike|Pines?|Plains?|Port|Prairie"
    r"|Ranch|Rapids?|Rest|River|Shores?|Springs?|Spur|Squares|Station|Stream|Summit|Trace|Track|Tunnel|Union|Valleys?"
    r"|Viaduct|Village|Ville|Vista|Wells?"
)

RECOGNISERS: tuple[Recogniser, ...] = (
    Recogniser(
        kind=Kind.SSN, weight=Weight.BLOCK, confidence=0.9, valid=digits.is_ssn,
        pattern=re.compile(r"(?<![\w.-])\d{3}-\d{2}-\d{4}(?![\w-])"),
    ),
    Recogniser(
        kind=Kind.SSN, weight=Weight.BLOCK, confidence=0.9, valid=digits.is_ssn,
        pattern=re.compile(r"(?<![\w.-])\d{3} ?\d{2} ?\d{4}(?![\w-])"),
        context=_words(r"s\.?s\.?n|social|soc(?:ial)? ?sec(?:urity)?(?: (?:number|no|num))?"),
    ),
    Recogniser(
        kind=Kind.RECORD_NUMBER, weight=Weight.BLOCK, confidence=0.9, valid=digits.has_digits,
        pattern=re.compile(_ID), context=_words(r"mrn|med(?:ical)? rec(?:ord)?s?(?: (?:number|no|num|id))?|(?:chart|record) (?:number|no|id)|patient (?:id|number|no)"),
    ),
    Recogniser(
        kind=Kind.PLAN_NUMBER, weight=Weight.BLOCK, confidence=0.85,
        pattern=re.compile(rf"(?<![\w.-]){_MBI}(?![\w-])"),
    ),
    Recogniser(
        kind=Kind.PLAN_NUMBER, weight=Weight.BLOCK, confidence=0.8, valid=digits.has_digits, pattern=re.compile(_ID),
        context=_words(r"(?:member|subscriber|beneficiary|policy|medicaid|medicare|mbi|health plan|insurance|plan)(?: (?:id|number|no|num|policy))"),
    ),
    Recogniser(
        kind=Kind.PLAN_NUMBER, weight=Weight.REVIEW, confidence=0.6, valid=digits.is_no_date,
        pattern=re.compile(rf"(?i:(?<![a-z])(?:policy|subscriber|member|medicaid|beneficiary))(?: (?:id|no\.?|number|#))? ?[:#]? ?(?P<v>{_ID})"),
    ),
    Recogniser(
        kind=Kind.NAME, weight=Weight.BLOCK, confidence=0.85,
        pattern=re.compile(rf"(?i:(?<![a-z])(?:{_PATIENT})(?:'s)?(?: name)?)(?: is| was)? ?[:=-]? ?(?P<v>{_PERSON})"),
    ),
    Recogniser(
        kind=Kind.NAME, weight=Weight.BLOCK, confidence=0.8,
        pattern=re.compile(rf"(?P<v>{_PERSON}) ?[(,;/-]? ?(?:DOB|D\.O\.B|MRN|SSN|born)(?![A-Za-z])"),
    ),
    Recogniser(
        kind=Kind.NAME, weight=Weight.REVIEW, confidence=0.7,
        pattern=re.compile(rf"(?i:(?<![a-z])(?:mother|father|parent|daughter|son|wife|husband|spouse|sister|brother|caregiver|name)) ?[,:=-]? ?(?P<v>{_PERSON})"),
    ),
    Recogniser(
        kind=Kind.NAME, weight=Weight.REVIEW, confidence=0.6,
        pattern=re.compile(rf"^\s{{0,8}}(?:RE:|Re:|Dear|ATTN:) ?(?P<v>{_PERSON})"),
    ),
    Recogniser(
        kind=Kind.NAME, weight=Weight.REVIEW, confidence=0.7,
        pattern=re.compile(rf"(?<!\w)\d{{1,3}} ?(?:[MF]|yo|y/o|y\.o\.),? (?P<v>{_PERSON})"),
    ),
    Recogniser(
        kind=Kind.NAME, weight=Weight.REVIEW, confidence=0.6, pattern=re.compile(rf"^\W{{0,3}}(?P<v>{_PERSON}|[A-Z][a-z'-]{{1,20}})\W{{0,3}}$"),
        context=_words(r"(?:first|last|full|middle|given|family|maiden) ?name|surname"),
    ),
    Recogniser(
        kind=Kind.NAME, weight=Weight.BLOCK, confidence=0.8, pattern=re.compile(rf"^\W{{0,3}}(?P<v>{_PERSON}|[A-Z][a-z'-]{{1,20}})\W{{0,3}}$"),
        context=_words(rf"(?:{_PATIENT}|maiden|emergency contact) ?(?:first|last|full|middle|given|family|sur)? ?name"),
    ),
    Recogniser(
        kind=Kind.NAME, weight=Weight.BLOCK, confidence=0.85,
        pattern=re.compile(rf"(?P<v>{_PERSON}),? (?:is )?an? \d{{1,3}}[- ]?(?:years?|yr)[- ]?old"),
    ),
    Recogniser(
        kind=Kind.NAME, weight=Weight.REVIEW, confidence=0.7,
        pattern=re.compile(r"(?<![A-Za-z])(?:Mr|Mrs|Ms|Miss)\.? (?P<v>[A-Z][a-z'\u2019-]{1,20}(?: [A-Z][a-z'\u2019-]{1,20})?)"),
    ),
    Recogniser(
        kind=Kind.DATE, weight=Weight.BLOCK, confidence=0.9, pattern=re.compile(_DATE),
        context=_words(r"dob|d\.o\.b|born(?: on)?|birth(?: ?date|day)?|date of birth|bday"),
    ),
    Recogniser(
        kind=Kind.DATE, weight=Weight.REVIEW, confidence=0.7, pattern=re.compile(_DATE),
        context=_words(r"admitted|admission(?: date)?|discharged?(?: date)?|date of (?:death|service|admission|discharge)|died|deceased|expired|dod|dos|implanted|date of visit|seen on|surgery on"),
    ),
    Recogniser(
        kind=Kind.DATE, weight=Weight.REVIEW, confidence=0.8,
        pattern=re.compile(r"(?<!\d)(?P<v>(?:9\d|1[01]\d))[- ]?(?:years?|yrs?)[- ]?(?:old|of age)"),
    ),
    Recogniser(
        kind=Kind.PLACE, weight=Weight.REVIEW, confidence=0.75,
        pattern=re.compile(rf"(?<![\w.-])\d{{1,6}} (?:[NSEW]\.? )?(?:[A-Z][a-z']{{1,20}} ){{1,3}}(?:{_STREET})\b\.?"),
    ),
    Recogniser(
        kind=Kind.PLACE, weight=Weight.REVIEW, confidence=0.7, valid=digits.is_state_and_zip,
        pattern=re.compile(r"(?<![A-Za-z0-9])[A-Z]{2},? \d{5}(?:-\d{4})?(?![\w-])"),
    ),
    Recogniser(
        kind=Kind.FAX, weight=Weight.REVIEW, confidence=0.8, valid=digits.is_phone, context=_words(r"fax(?: (?:number|no))?"),
        pattern=re.compile(r"(?<![\w./:-])(?:\+?1[-. ]?)?\(?[2-9]\d{2}\)?[-. ]{1,2}[2-9]\d{2}[-. ]\d{4}(?![\w-])"),
    ),
    Recogniser(
        kind=Kind.PHONE, weight=Weight.REVIEW, confidence=0.7, valid=digits.is_phone,
        pattern=re.compile(r"(?<![\w./:+-])(?:(?:\+?1[-. ]?)?\(?[2-9]\d{2}\)?[-. ]{1,2}[2-9]\d{2}[-. ]\d{4}|\+[2-9]\d{0,2}[- ]\d[\d -]{6,13}\d)(?![\w-])"),
    ),
    Recogniser(
        kind=Kind.PHONE, weight=Weight.REVIEW, confidence=0.7, valid=digits.is_phone, pattern=re.compile(r"(?<![\w.-])[2-9]\d{2}[2-9]\d{6}(?![\w-])"),
        context=_words(r"(?:tele)?phone(?: (?:number|no))?|tel|mobile|cell"),
    ),
    Recogniser(
        kind=Kind.EMAIL, weight=Weight.NOTE, confidence=0.95,
        pattern=re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![\w-])"),
    ),
    Recogniser(
        kind=Kind.ACCOUNT, weight=Weight.REVIEW, confidence=0.8, valid=digits.is_card,
        pattern=re.compile(r"(?<![\w.-])(?:\d{4}[ -]){3}\d{1,7}(?![\w-])"),
    ),
    Recogniser(
        kind=Kind.ACCOUNT, weight=Weight.REVIEW, confidence=0.7, valid=digits.is_no_aws_account, pattern=re.compile(_ID),
        context=_words(r"(?:bank|billing|patient|checking|guarantor|hospital)? ?(?:(?:account|acct) (?:number|no|num)|acct)|iban"),
    ),
    Recogniser(
        kind=Kind.LICENCE, weight=Weight.REVIEW, confidence=0.75, valid=digits.has_digits, pattern=re.compile(_ID),
        context=_words(r"licen[sc]e(?! plate)(?: (?:number|no|num))?|dl(?: (?:number|no))?"),
    ),
    Recogniser(
        kind=Kind.LICENCE, weight=Weight.REVIEW, confidence=0.8, valid=digits.is_dea, context=_words("dea(?: (?:number|no))?"),
        pattern=re.compile(r"(?<!\w)[A-Z][A-Z9]\d{7}(?!\w)"),
    ),
    Recogniser(
        kind=Kind.LICENCE, weight=Weight.REVIEW, confidence=0.8, valid=digits.is_npi, context=_words("npi(?: (?:number|no))?"),
        pattern=re.compile(r"(?<![\w.-])[12]\d{9}(?![\w-])"),
    ),
    Recogniser(
        kind=Kind.VEHICLE, weight=Weight.REVIEW, confidence=0.9, valid=digits.is_vin,
        pattern=re.compile(r"(?<![\w-])[A-HJ-NPR-Z0-9]{17}(?![\w-])"),
    ),
    Recogniser(
        kind=Kind.VEHICLE, weight=Weight.REVIEW, confidence=0.6, valid=lambda text: any(c.isdigit() for c in text),
        pattern=re.compile(r"(?<![\w-])[A-Z0-9]{1,4}[- ]?[A-Z0-9]{2,5}(?![\w-])"), context=_words(r"(?:licen[sc]e )?plate(?: (?:number|no))?"),
    ),
    Recogniser(
        kind=Kind.DEVICE, weight=Weight.REVIEW, confidence=0.9, valid=digits.is_gtin,
        pattern=re.compile(r"\(01\)(?P<v>\d{14})(?!\d)"),
    ),
    Recogniser(
        kind=Kind.DEVICE, weight=Weight.REVIEW, confidence=0.75, valid=digits.has_digits, pattern=re.compile(_ID),
        context=_words(r"(?:pacemaker|implant|defibrillator|icd|insulin pump|prosthesis|hearing aid|medical device|device(?= serial))(?: device)?(?: (?:serial|id|s/n|number|no))*"),
    ),
    Recogniser(
        kind=Kind.URL, weight=Weight.NOTE, confidence=0.95,
        pattern=re.compile(r"(?<!\w)(?:https?|ftp)://[^\s\"'<>\\)]{4,500}"),
    ),
    Recogniser(
        kind=Kind.IP_ADDRESS, weight=Weight.NOTE, confidence=0.9, valid=digits.is_public_ip,
        pattern=re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)"),
    ),
    Recogniser(
        kind=Kind.IP_ADDRESS, weight=Weight.NOTE, confidence=0.8, valid=digits.is_public_ip,
        needs=r"(?:[0-9a-fA-F]+:+){7}|[0-9a-fA-F]::[0-9a-fA-F]",
        pattern=re.compile(r"(?<![\w:.-])(?:[0-9a-fA-F]{1,4}:{1,2}){2,7}[0-9a-fA-F]{1,4}(?![\w:-])"),
    ),
    Recogniser(
        kind=Kind.BIOMETRIC, weight=Weight.REVIEW, confidence=0.6,
        pattern=re.compile(r"(?i:(?:biometric|voice ?print|retina(?:l)? scan|iris|palm ?print)(?: (?:template|record|scan|id))? ?[:=#] ?)(?P<v>[\w+/=-]{6,80})"),
    ),
)  # fmt: skip

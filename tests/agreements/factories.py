"""Makers of agreements and documents."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta
from typing import Any

from accounts.models import Tenant
from accounts.tenancy.scope import open_tenant
from assessments.agreements.models import Agreement, AgreementVersion, VersionKind
from assessments.agreements.services import NewVersion, record_agreement
from assessments.agreements.states import today
from tests.factories import make_person
from tests.partnerships.factories import make_associate

PDF = b"%PDF-1.7\nan agreement\n%%EOF\n"


def make_docx(*more: str) -> bytes:
    """The smallest DOCX that is one, with more parts where asked."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("[Content_Types].xml", "word/document.xml", *more):
            archive.writestr(name, "<x/>")
    return out.getvalue()


def in_days(days: int) -> date:
    return today() + timedelta(days=days)


def terms(**fields: Any) -> AgreementVersion:
    return AgreementVersion(**fields)


def make_agreement(
    tenant: Tenant, *, associate: Any = None, kind: VersionKind = VersionKind.SIGNED, document: Any = None, **fields: Any
) -> Agreement:  # fmt: skip
    """A signed agreement that began a year ago, unless told otherwise."""
    associate = associate or make_associate(tenant)
    if kind == VersionKind.SIGNED:
        fields = {"signed_on": in_days(-370), "effective_from": in_days(-365), **fields}
    with open_tenant(tenant.pk):
        new = NewVersion(kind, terms(**fields), document=document)
        return record_agreement(associate_id=associate.pk, new=new, by=make_person())

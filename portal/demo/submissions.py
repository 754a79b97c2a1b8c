"""What another tool says of the demonstration's hospital: a document of prowler's, made of the stand-in's account.

prowler.ocsf.json is what prowler 5.46 wrote (`prowler aws -M json-ocsf`), cut down to some checks of S3 and CloudTrail
and to the members that are read.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from uuid import UUID

from django.utils import timezone

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from evidence.models import Submission
from evidence.submissions.receiving import receive_document
from evidence.submissions.services import Declared, Sender, keep_submission
from portal.demo.people import person_of

DOCUMENT = Path(__file__).parent / "prowler.ocsf.json"


def seed_submission(tenant_id: UUID) -> None:
    """Sends the document once, as seen now; a worker reads it."""
    with open_tenant(tenant_id):
        if Submission.objects.exists():
            return
    body = DOCUMENT.read_bytes()
    said = Declared(media_type="application/json", name="prowler.ocsf.json", stream="nightly", complete=True,
                    effective_to=timezone.now())  # fmt: skip
    with (
        receive_document(BytesIO(body).read, tenant_id=tenant_id, declared_size=len(body)) as received,
        open_tenant(tenant_id),
    ):
        by = person_of(Role.SECURITY_OFFICIAL)
        keep_submission(received, said, Sender(by.name, person_id=by.pk))

"""A sealer's process, forked from one that has imported everything: for tests that kill many of them."""

from __future__ import annotations

from pathlib import Path

import django
import psycopg

django.setup()

from accounts.audit.anchor import DirectoryAnchor  # noqa: E402
from accounts.audit.keys import make_signer  # noqa: E402
from accounts.audit.service import Pace, SealerService  # noqa: E402


def seal(dsn: str, secret: str, anchor: str) -> None:
    """Seals all the time, so that a kill mostly meets a transaction, until the process is killed."""
    service = SealerService(
        lambda: psycopg.connect(dsn, autocommit=True), [make_signer(secret)], DirectoryAnchor(Path(anchor)),
        Pace(seal=0.01, anchor=0.2),
    )  # fmt: skip
    service.run()

"""Makes a PDF by a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accounts.errors import Unavailable

PROGRAM = Path(__file__).with_name("program.py")
PDF_SECONDS = 120


def write_pdf(template: Path, facts: Mapping[str, Any]) -> bytes:
    """PDF/A-2b by a template of this product's, under `assessments/`, which reads `facts` (JSON) as data.

    The template begins with `#import "/pdf/base.typ": *`, which gives its look and `facts`. The process's memory goes
    when it ends, and it sees nothing else. Raises Unavailable where the document can't be made.
    """
    try:
        made = subprocess.run(  # noqa: S603 (our own program and nothing else)
            [sys.executable, "-I", str(PROGRAM), str(template)], input=json.dumps(facts).encode(), capture_output=True,
            timeout=PDF_SECONDS, check=True, env={},
        )  # fmt: skip
    except subprocess.SubprocessError as error:
        said = getattr(error, "stderr", None) or b""
        raise Unavailable(
            f"{template.stem}.pdf could not be made: {said.decode(errors='replace')[-300:]}"
        ) from error
    return made.stdout

"""A worker knows every task that somebody rings for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = re.compile(r'"(tasks\.\w+\.\w+)"')
WORKER = (
    "from portal.celery import app; import django; django.setup(); app.loader.import_default_modules();"
    " print(*app.tasks, sep='\\n')"
)


def test_every_task_that_is_named_anywhere_is_registered_in_a_worker():
    folders = ("accounts", "assessments", "evidence", "tasks", "portal")
    sources = [path.read_text() for folder in folders for path in (ROOT / folder).rglob("*.py")]
    named = {name for source in sources for name in NAME.findall(source)}
    assert len(named) >= 7, "the pattern finds the names"
    # A process of its own, in which no test has imported any of them.
    done = subprocess.run(
        [sys.executable, "-c", WORKER], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert named - set(done.stdout.split()) == set()

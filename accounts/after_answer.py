"""Work that begins when an answer has gone out, on threads of its own: its time must tell a stranger nothing.

Waiting for it would show even after the last byte, to who sends the next request on the same connection.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import Any

import structlog
from django.db import Error, connections
from django.template.response import TemplateResponse

_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="after-answer")
_waiting: set[Future[None]] = set()

logger = structlog.get_logger()


class AnsweredFirst(TemplateResponse):
    """A page whose `work` begins after its last byte."""

    work: Callable[[], Any]

    def close(self) -> None:
        """Called by the server after the last byte."""
        future = _threads.submit(_do, self.work)
        _waiting.add(future)
        future.add_done_callback(_waiting.discard)
        super().close()


def wait_for_work(timeout: float = 20) -> None:
    """Returns when all work that has begun is done; for tests and benchmarks."""
    wait_for(set(_waiting), timeout=timeout)


def _do(work: Callable[[], Any]) -> None:
    try:
        work()
    except (Error, smtplib.SMTPException, OSError):
        logger.exception("after_answer.failed")
    finally:
        connections.close_all()

"""The portal's processes, written once: `manage.py up` runs these, and so does docker-compose.yml.

Where they listen and how many there are comes from the environment (GUNICORN_CMD_ARGS), so the words are the
same everywhere. "python" stands for the interpreter of the virtual environment or the image.
"""

import sys
from dataclasses import dataclass

from portal.embedded.roles import Role
from portal.embedded.supervisor import Child


@dataclass(frozen=True, slots=True)
class Service:
    """One process of the portal, and who it is to PostgreSQL."""

    name: str
    argv: tuple[str, ...]
    role: Role

    def child(self, **env: str) -> Child:
        """The same process for the Supervisor, in this interpreter."""
        argv = tuple(sys.executable if word == "python" else word for word in self.argv)
        return Child(self.name, argv, {"SURETY_DATABASE_ROLE": self.role, "PYTHONUNBUFFERED": "1", **env})


MIGRATE = Service("migrate", ("python", "manage.py", "migrate", "--no-input"), Role.MIGRATE)
WEB = Service(
    "web",
    (
        "python", "-m", "gunicorn", "portal.wsgi", "--worker-class", "gthread", "--threads", "8",
        "--timeout", "60", "--max-requests", "1000000", "--max-requests-jitter", "100000",
        "--no-control-socket", "--access-logfile", "-",
        # Without the path, which can hold an invitation's token; the request id leads to the audit log.
        "--access-logformat", "%(h)s %(m)s %(s)s %(B)s %(M)sms %({x-request-id}o)s",
    ),
    Role.APP,
)  # fmt: skip
WORKER = Service(
    "worker",
    (
        "python", "-m", "celery", "-A", "portal", "worker", "--pool", "threads", "--concurrency", "8",
        "--loglevel", "INFO", "--without-gossip", "--without-mingle",
    ),
    Role.WORKER,
)  # fmt: skip
BEAT = Service(
    "beat",
    # The schedule says only when to look: what is due stands in PostgreSQL, so beat keeps no file.
    (
        "python", "-m", "celery", "-A", "portal", "beat", "--scheduler", "celery.beat:Scheduler",
        "--loglevel", "INFO",
    ),
    Role.WORKER,
)  # fmt: skip
SEALER = Service("sealer", ("python", "manage.py", "seal_log"), Role.SEALER)
SERVICES = (WEB, WORKER, BEAT, SEALER)
WEB_HEALTH = ("python", "-m", "portal.embedded.probe")

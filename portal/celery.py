"""The Celery application. Redis is a doorbell: the rows in PostgreSQL are the queue."""

from __future__ import annotations

import os
from pkgutil import iter_modules

from celery import Celery

import tasks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.set_default()  # for threads that did not load it
app.config_from_object("django.conf:settings", namespace="CELERY")
for module in iter_modules(tasks.__path__):
    app.autodiscover_tasks(["tasks"], related_name=module.name)

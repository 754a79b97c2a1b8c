"""The Celery application. Redis is a doorbell: the rows in PostgreSQL are the queue."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.set_default()  # for threads that did not load it
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["tasks"], related_name="collect")
app.autodiscover_tasks(["tasks"], related_name="assess")
app.autodiscover_tasks(["tasks"], related_name="sweep")
app.autodiscover_tasks(["tasks"], related_name="stream")

"""The WSGI application that gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()

from assessments.checks.base import checks  # noqa: E402 (models can be imported only now)

# With every view and check imported what lives for good is there: no request waits for it to be imported, or to be
# looked through again for garbage, which takes a tenth of a second.
_ = get_resolver().url_patterns
checks()
gc.collect()
gc.freeze()
# What a request leaves is seldom in a cycle: to look for those every 700 objects costs more than it finds.
gc.set_threshold(20_000, 10, 10)

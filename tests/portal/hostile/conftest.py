"""The site that hostile requests are sent to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from tests.portal.hostile.site import Site, make_site


@pytest.fixture(scope="module")
def site(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("vault")
    with django_db_blocker.unblock(), override_settings(VAULT_DIRECTORY=directory):
        made = make_site(directory)
        yield made
        made.rows.close()


@pytest.fixture(autouse=True)
def _vault_of_the_site(site, vault_directory, settings):
    settings.VAULT_DIRECTORY = site.vault


@pytest.fixture
def stranger() -> Client:
    return Client(raise_request_exception=False)

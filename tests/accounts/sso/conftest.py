from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.accounts.sso.kit import (
    OidcProcess,
    Process,
    Setup,
    make_keys,
    saml_metadata,
    set_up_saml_tenant,
    set_up_tenant_for,
)

# python3-saml still calls what Python 3.12 will call out of date.
SITE = "http://testserver"


@pytest.fixture(autouse=True)
def _site(settings) -> None:
    settings.SITE_URL = SITE


@pytest.fixture(scope="session")
def idp() -> Iterator[OidcProcess]:
    process = OidcProcess()
    yield process
    process.close()


@pytest.fixture(scope="session")
def saml_keys(tmp_path_factory):
    return make_keys(tmp_path_factory.mktemp("saml"))


@pytest.fixture(scope="session")
def saml_idp(saml_keys) -> Iterator[Process]:
    process = Process("saml_provider.cjs", *saml_keys.files())
    yield process
    process.close()


@pytest.fixture
def oidc(idp, transactional_db) -> Setup:
    """A tenant with a domain whose people sign in at the OIDC process."""
    return set_up_tenant_for(idp)


@pytest.fixture
def saml(saml_idp, saml_keys, transactional_db) -> Setup:
    """A tenant with a domain whose people sign in at the SAML process."""
    metadata = saml_metadata("urn:example:saml", f"{saml_idp.url}/sso", saml_keys.certificate_text)
    return set_up_saml_tenant(metadata, email_claim="email")

"""The two steps of signing in, as a person in front of a browser meets them."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.accounts.factories import PASSWORD, code_for, make_ready_person, post_password, sign_in
from tests.factories import make_member, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def test_password_and_code_lead_to_the_overview():
    person = make_ready_person()
    client = Client()
    assert post_password(client, person).url == "/sign-in/code"
    answer = client.post("/sign-in/code", {"code": code_for(person)})
    assert (answer.status_code, answer.url) == (302, "/")
    assert client.get("/profile").status_code == 200

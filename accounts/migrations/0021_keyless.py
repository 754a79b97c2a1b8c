"""Clients that prove who they are without a stored secret."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0020_fair_webhooks")]

    operations = []

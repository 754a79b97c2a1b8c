"""Clients of the interface."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_webhooks")]

    operations = []

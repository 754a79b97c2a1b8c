"""Rows that two tenants see."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_api_clients")]

    operations = []

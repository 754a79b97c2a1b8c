"""Clients of an engagement's auditors."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0021_keyless")]

    operations = []

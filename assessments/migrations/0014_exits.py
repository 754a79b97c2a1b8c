"""Exits with proof."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("assessments", "0013_onboarding"), ("accounts", "0009_auditors")]

    operations = []

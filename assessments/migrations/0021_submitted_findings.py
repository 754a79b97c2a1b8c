"""Findings of submitted documents beside those of our own checks."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("assessments", "0020_notice_ways")]

    operations = []

"""Submissions that may hold PHI are held back."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("evidence", "0003_submissions")]

    operations = []

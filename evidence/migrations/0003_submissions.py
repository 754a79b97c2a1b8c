"""What clients push."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("evidence", "0002_fields")]

    operations = []

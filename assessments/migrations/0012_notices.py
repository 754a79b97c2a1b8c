from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("assessments", "0011_verifications")]

    operations: list = []

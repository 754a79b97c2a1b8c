from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("assessments", "0008_agreements")]

    operations: list = []

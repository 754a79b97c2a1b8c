from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("assessments", "0013_questionnaires")]

    operations: list = []

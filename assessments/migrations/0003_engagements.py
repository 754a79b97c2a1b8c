from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("assessments", "0002_due_work"), ("evidence", "0002_fields"), ("accounts", "0009_auditors")]
    operations = []

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("assessments", "0009_portfolio")]

    operations: list = []

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("evidence", "0001_initial")]
    operations = [
        migrations.AddField(
            model_name="blob",
            name="fields_root",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="blob",
            name="salt",
            field=models.BinaryField(default=b""),
        ),
    ]

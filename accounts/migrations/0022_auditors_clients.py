"""Clients of an engagement's auditors."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0021_keyless")]

    operations = [
        migrations.AddField(
            model_name='apiclient',
            name='engagement',
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name='apiclient',
            constraint=models.CheckConstraint(condition=models.Q(('engagement', None), models.Q(('scopes__contains', ['engagement:audit']), ('scopes__len', 1)), _connector='XOR'), name='accounts_apiclient_auditors'),
        ),
    ]

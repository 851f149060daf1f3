from django.db import migrations, models

LOOKED_AGAIN = " (again)"
"""Ended the name of a second moderator before there was a field for it."""


def mark_second_looks(apps, schema_editor):
    suggestions = apps.get_model("accountability", "Suggestion")
    suggestions.objects.filter(moderated_by__endswith=LOOKED_AGAIN).update(challenged=True)


class Migration(migrations.Migration):

    dependencies = [
        ('accountability', '0003_peers_who_verify'),
    ]

    operations = [
        migrations.AddField(
            model_name='consultation',
            name='look_again',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='suggestion',
            name='challenged',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='suggestionsettings',
            name='look_again',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.RunPython(mark_second_looks, migrations.RunPython.noop, elidable=True),
    ]

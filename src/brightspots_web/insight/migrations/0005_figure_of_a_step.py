"""A step keeps the figure it was taken on, for the re-test years later."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("insight", "0004_why")]

    operations = [
        migrations.AddField("brightspotstep", "figure", models.JSONField(blank=True, default=dict)),
    ]

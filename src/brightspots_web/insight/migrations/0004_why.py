"""Room for how alike a family is, and for what moves a school's expectation."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("insight", "0003_complementary_suppression")]

    operations = [
        migrations.AddField("family", "balance", models.JSONField(default=dict)),
        migrations.AddField("estimate", "because", models.JSONField(default=dict)),
    ]

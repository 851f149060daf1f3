"""Withhold a further year where one of few pupils could be had by subtraction."""

from typing import Any

from django.db import migrations, models
from django.db.models import Exists, OuterRef

LEAST = {"complementary": 10, "complementary_inside": 5}
"""Fewest pupils behind a figure, across schools and within the school, when this was written."""


def withhold_years_beside_small_ones(apps: Any, schema_editor: Any) -> None:
    """Runs made before this rule keep their totals and lose the years beside a small one.

    Their areas' figures hold small schools. The next analysis is made by the rule itself, which
    withholds less.
    """
    Estimate = apps.get_model("insight", "Estimate")
    for mark, least in LEAST.items():
        small = Estimate.objects.filter(
            run=OuterRef("run"),
            school=OuterRef("school"),
            subject=OuterRef("subject"),
            year__isnull=False,
            n__lt=least,
        )
        Estimate.objects.filter(Exists(small), year__isnull=False).update(**{mark: True})


class Migration(migrations.Migration):
    dependencies = [("insight", "0002_how_sure_and_what_next")]

    operations = [
        migrations.AddField("estimate", "complementary", models.BooleanField(default=False)),
        migrations.AddField("estimate", "complementary_inside", models.BooleanField(default=False)),
        migrations.RunPython(withhold_years_beside_small_ones, migrations.RunPython.noop),
    ]

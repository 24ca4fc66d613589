from typing import Any

from django.db import migrations, models
from django.db.models import Count, IntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce


def count(apps: Any, schema_editor: Any) -> None:
    """What lies there already."""
    files = apps.get_model("runlog", "RunFile").objects.filter(kind="data", run=OuterRef("pk"))
    grouped = files.order_by().values("run")
    size = grouped.annotate(size=Sum("size")).values("size")
    number = grouped.annotate(number=Count("id")).values("number")
    apps.get_model("runlog", "Run").objects.update(
        data_files=Coalesce(Subquery(number, output_field=IntegerField()), 0),
        data_bytes=Coalesce(Subquery(size, output_field=models.PositiveBigIntegerField()), 0),
    )


class Migration(migrations.Migration):

    dependencies = [
        ("runlog", "0005_observable_required_since"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="data_files",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="How many data files it has (runlog/run_files counts)."
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="data_bytes",
            field=models.PositiveBigIntegerField(
                db_default=0, default=0, help_text="And how large they are together."
            ),
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
    ]

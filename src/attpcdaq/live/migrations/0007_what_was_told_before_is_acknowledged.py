"""What was told before anybody could acknowledge it is no work left to do: the count begins at nothing."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.functions import Now


def acknowledge(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """In one statement, as there may be very many."""
    told = apps.get_model("live", "Event").objects.using(editor.connection.alias)
    left = told.filter(acknowledged_at__isnull=True, severity__in=("warning", "error"))
    left.update(acknowledged_at=Now(), acknowledged_by="upgrade")


class Migration(migrations.Migration):
    dependencies = [("live", "0006_spells_log_tails_and_acknowledging")]

    operations = [migrations.RunPython(acknowledge, migrations.RunPython.noop)]

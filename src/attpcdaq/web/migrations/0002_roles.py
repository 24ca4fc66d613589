"""The groups `shifter`, `expert` and `admin` with the permissions of their roles."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

PERMISSIONS = {
    "operate": "May operate the detector",
    "expert": "May set the system up and restart its parts",
    "administer": "May manage users and tokens",
}
GROUPS = {
    "shifter": ("operate",),
    "expert": ("operate", "expert"),
    "admin": ("operate", "expert", "administer"),
}


def make_groups(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Django makes permissions after all migrations; those of the groups are made here."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="runcontrol", model="command"
    )
    permission = apps.get_model("auth", "Permission").objects
    made = {
        name: permission.get_or_create(content_type=content_type, codename=name, defaults={"name": text})[0]
        for name, text in PERMISSIONS.items()
    }
    for group, names in GROUPS.items():
        row, _ = apps.get_model("auth", "Group").objects.get_or_create(name=group)
        row.permissions.set([made[name] for name in names])


class Migration(migrations.Migration):
    dependencies = [
        ("web", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("runcontrol", "0002_durable_operations"),
    ]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runlog", "0003_manifest_quarantine_and_configs")]

    operations = [
        migrations.AlterModelOptions(name="runconfig", options={"ordering": ("server", "kind", "name", "source")}),
        migrations.RemoveConstraint(model_name="runconfig", name="run_config_once"),
        migrations.AddConstraint(
            model_name="runconfig",
            constraint=models.UniqueConstraint(
                fields=("run", "server", "kind", "source", "name"), name="run_config_once"
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("live", "0004_sample_levels_and_smoothed_rates")]

    operations = [
        migrations.AlterModelOptions(name="usedconfig", options={"ordering": ("ecc_server", "kind", "name", "source")}),
        migrations.RemoveConstraint(model_name="usedconfig", name="used_config_once"),
        migrations.AddConstraint(
            model_name="usedconfig",
            constraint=models.UniqueConstraint(
                fields=("ecc_server", "kind", "source", "name"), name="used_config_once"
            ),
        ),
        migrations.AlterModelOptions(name="diskconfig", options={"ordering": ("ecc_server", "kind", "name")}),
        migrations.RemoveConstraint(model_name="diskconfig", name="disk_config_once"),
        migrations.AddConstraint(
            model_name="diskconfig",
            constraint=models.UniqueConstraint(fields=("ecc_server", "kind", "name"), name="disk_config_once"),
        ),
    ]

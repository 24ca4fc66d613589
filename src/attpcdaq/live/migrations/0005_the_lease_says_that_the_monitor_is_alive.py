from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('live', '0004_service_beats_and_monitor_lease'),
    ]

    operations = [
        migrations.AddField(
            model_name='monitorlease',
            name='at',
            field=models.DateTimeField(help_text="When what was seen was last written, by the monitor's clock.", null=True),
        ),
        migrations.AlterField(
            model_name='monitorlease',
            name='until',
            field=models.DateTimeField(help_text="When somebody else may take it, by the database's clock."),
        ),
        # The table stays: version 0.2 still needs it where an upgrade is taken back. A later release may drop it.
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name='MonitorBeat')]),
    ]

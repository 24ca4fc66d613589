from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runcontrol', '0002_durable_operations'),
    ]

    operations = [
        migrations.AddField(
            model_name='restart',
            name='heartbeat_at',
            field=models.DateTimeField(blank=True, help_text='Whoever carries it out was alive.', null=True),
        ),
        migrations.AddField(
            model_name='restart',
            name='published_at',
            field=models.DateTimeField(help_text='When the workers were last told of it.', null=True),
        ),
    ]

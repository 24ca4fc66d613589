from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('live', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='eccstate',
            name='since',
            field=models.DateTimeField(help_text='When it was first seen in this state.', null=True),
        ),
    ]

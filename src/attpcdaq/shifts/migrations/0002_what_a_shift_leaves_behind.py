from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shifts", "0001_shifts_notes_and_gaps")]

    operations = [
        migrations.AddField(
            model_name="shift",
            name="problems",
            field=models.JSONField(
                default=list, help_text="What was not in order when it ended: level, text, anchor."
            ),
        ),
    ]

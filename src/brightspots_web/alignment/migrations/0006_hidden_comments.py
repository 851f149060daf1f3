from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('alignment', '0005_ballot_reminders_and_adoption'),
    ]

    operations = [
        migrations.AddField(
            model_name='proposalcomment',
            name='hidden_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='proposalcomment',
            name='hidden_by',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name='proposalcomment',
            name='hidden_why',
            field=models.CharField(blank=True, max_length=500),
        ),
    ]

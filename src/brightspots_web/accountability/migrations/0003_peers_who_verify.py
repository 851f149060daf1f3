from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accountability', '0002_voice_comment_area'),
    ]

    operations = [
        migrations.AddField(
            model_name='pledgescore',
            name='state',
            field=models.CharField(choices=[('asked', 'asked'), ('scored', 'has scored'), ('cannot', 'cannot'), ('left', 'has left'), ('aside', 'set aside')], default='asked', max_length=10),
        ),
        migrations.AddField(
            model_name='pledgescore',
            name='why',
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name='pledgescore',
            name='why_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='pledgescore',
            name='why_by',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddConstraint(
            model_name='pledgescore',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'scored'), _negated=True), ('score__isnull', False), _connector='OR'), name='verifier_counts_with_a_score'),
        ),
        migrations.AddConstraint(
            model_name='pledgescore',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['cannot', 'aside']), _negated=True), models.Q(('why', ''), _negated=True), _connector='OR'), name='verifier_does_not_count_with_a_reason'),
        ),
    ]

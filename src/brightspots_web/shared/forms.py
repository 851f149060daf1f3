from django import forms
from django.utils.translation import gettext_lazy as _


class AuditFilter(forms.Form):
    q = forms.CharField(label=_("Person, action or object"), required=False, max_length=100)

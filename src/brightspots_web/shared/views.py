from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from brightspots_web.shared.models import AuditHead


@login_not_required
@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Answer whether the application and its database are there; says nothing else."""
    AuditHead.objects.filter(pk=1).exists()
    return HttpResponse("ok", content_type="text/plain")

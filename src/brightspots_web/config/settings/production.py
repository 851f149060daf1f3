"""A ministry's server: PostgreSQL, HTTPS, nothing of the sample."""

import os

from django.core.exceptions import ImproperlyConfigured

from brightspots_web.config.settings.base import *  # noqa: F403 - a settings module extends its base

for name in ("DATABASE_URL", "BRIGHTSPOTS_SECRET_KEY", "BRIGHTSPOTS_HOSTS"):
    if not os.environ.get(name):
        message = f"Set {name} in the environment of the production server."
        raise ImproperlyConfigured(message)

SAMPLE_MODE = False
SECOND_FACTOR_REQUIRED = True
ALLOWED_HOSTS = os.environ["BRIGHTSPOTS_HOSTS"].split(",")
PUBLIC_ADDRESS = os.environ.get("BRIGHTSPOTS_ADDRESS", f"https://{ALLOWED_HOSTS[0]}")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]
# Rate limits count addresses of people, not that of the proxy in front.
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("BRIGHTSPOTS_PROXIES", "1"))
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

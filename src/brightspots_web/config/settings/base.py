"""What every installation shares."""

import os
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from brightspots_web.config.home import database, secret_key

HOME = Path(os.environ.get("BRIGHTSPOTS_HOME", "var")).resolve()
"""The folder that holds everything this installation keeps: database, data files, secret key."""

DATA_FOLDER = HOME / "data"
"""Imported results as Parquet. Pupil rows live here and never enter the database."""

SAMPLE_MODE = False
"""One-click sign-in as the invented cast. Only `sample` (and tests) switch it on."""

DEBUG = False
SECRET_KEY = secret_key(HOME)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
INTERNAL_HOSTS = ALLOWED_HOSTS

INSTALLED_APPS = [
    "brightspots_web.home",
    "brightspots_web.pace",
    "brightspots_web.evidence",
    "brightspots_web.accountability",
    "brightspots_web.devolution",
    "brightspots_web.leaders",
    "brightspots_web.connectedness",
    "brightspots_web.alignment",
    "brightspots_web.insight",
    "brightspots_web.imports",
    "brightspots_web.notices",
    "brightspots_web.directory",
    "brightspots_web.shared",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_q",
    "whitenoise.runserver_nostatic",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "brightspots_web.directory.middleware.ActingMiddleware",
    "brightspots_web.shared.middleware.NullCharacterMiddleware",
]

ROOT_URLCONF = "brightspots_web.config.urls"
WSGI_APPLICATION = "brightspots_web.config.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "brightspots_web.home.context.page",
            ],
        },
    },
]

DATABASES = {"default": database(HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Jobs. The queue lies in the database; a job killed half way is found by its stale heartbeat
# (shared.jobs.recover), so the broker's own redelivery is set far beyond any job.
Q_CLUSTER = {
    "name": "brightspots",
    "orm": "default",
    "workers": 1,
    "timeout": 6 * 3600,
    "retry": 7 * 3600,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": 1000,
    "poll": 0.5,
    "catch_up": False,
    "label": "Jobs",
    "log_level": "ERROR",
}

JOB_HEARTBEAT = float(os.environ.get("BRIGHTSPOTS_JOB_HEARTBEAT", "5"))
"""Seconds between the signs of life of a job at work."""
JOB_STALE = float(os.environ.get("BRIGHTSPOTS_JOB_STALE", "60"))
"""Seconds without one after which its worker is taken for dead."""

# Sign-in
AUTH_USER_MODEL = "directory.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "brightspots_web.directory.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = (
    "none"  # accounts are made by people with an appointment, not by strangers
)
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_RATE_LIMITS = {"login_failed": "10/5m/ip,5/5m/key", "login": "30/m/ip"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Brightspots"
MFA_TOTP_TOLERANCE = 1  # half a minute: the clocks of phones are not exact
# Addresses are vouched for by whoever appoints; there may be no mail server in a district.
MFA_ALLOW_UNVERIFIED_EMAIL = True
USERSESSIONS_TRACK_ACTIVITY = False
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home:front"
SECOND_FACTOR_REQUIRED = True
"""Officers, analysts and ministers set up a second factor before they see anything."""

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "script-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# Mail. Without a server nothing is sent, and whoever appoints hands over links to set a password.
EMAIL_HOST = os.environ.get("BRIGHTSPOTS_MAIL_HOST", "")
EMAIL_PORT = int(os.environ.get("BRIGHTSPOTS_MAIL_PORT", "587"))
EMAIL_HOST_USER = os.environ.get("BRIGHTSPOTS_MAIL_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("BRIGHTSPOTS_MAIL_PASSWORD", "")
EMAIL_USE_TLS = bool(EMAIL_HOST)
EMAIL_TIMEOUT = 20
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'dummy'}.EmailBackend"
PUBLIC_ADDRESS = os.environ.get("BRIGHTSPOTS_ADDRESS", "")
"""Where the installation is reached, for links in messages: https://schools.example."""
DEFAULT_FROM_EMAIL = os.environ.get("BRIGHTSPOTS_MAIL_FROM", "brightspots@localhost")
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": HOME / "cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}
"""Shared by all processes of one machine; holds rate limits and drawn charts."""

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = HOME / "uploads"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
UPLOAD_LIMIT = 2 * 1024**3
"""Bytes of one uploaded file."""
FILE_UPLOAD_HANDLERS = [
    "brightspots_web.imports.uploads.LimitedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [Path(__file__).resolve().parents[2] / "locale"]
FORMAT_MODULE_PATH = "brightspots_web.config.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = os.environ.get("BRIGHTSPOTS_TIME_ZONE", "UTC")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("BRIGHTSPOTS_LOG", "WARNING")},
}

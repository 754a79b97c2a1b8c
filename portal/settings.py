"""Settings. What differs between installations comes from the environment (portal.env); docs/operating.md lists it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import structlog
from csp.constants import NONE, SELF

from accounts.clients.scopes import WORDS
from portal import env
from portal.embedded import Role

BASE_DIR = Path(__file__).resolve().parent.parent
PRODUCTION = env.production()

SECRET_KEY = env.secret("DJANGO_SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", "" if PRODUCTION else "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS")
SITE_URL = env.text("SITE_URL", "http://localhost:8000")

INSTALLED_APPS = [
    "portal",
    "accounts",
    "evidence",
    "assessments",
    "tasks",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_otp",
    "django_htmx",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "accounts.middleware.RequestIdMiddleware",
    "accounts.transport.PlainHttpMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "accounts.forgery.TokenRequestMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.SessionLimitMiddleware",
    "accounts.middleware.TenantMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "portal" / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "portal.context.frame",
            ],
        },
    },
]

DATABASES = env.databases()
DATABASE_ROUTERS = ["accounts.tenancy.router.TenantRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People and sessions
AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]


def password_validators(*, breaches: bool) -> list[dict[str, Any]]:
    """Django's AUTH_PASSWORD_VALIDATORS. `breaches` asks the Pwned Passwords service by five characters of a digest."""
    names: dict[str, dict[str, Any]] = {
        "django.contrib.auth.password_validation.UserAttributeSimilarityValidator": {},
        "django.contrib.auth.password_validation.MinimumLengthValidator": {"min_length": 12},
        "django.contrib.auth.password_validation.CommonPasswordValidator": {},
        "accounts.passwords.ContextWordValidator": {},
    }
    if breaches:
        names["pwned_passwords_django.validators.PwnedPasswordsValidator"] = {
            "error_message": "This password is known from a breach elsewhere. Choose another."
        }
    return [{"NAME": name, "OPTIONS": options} for name, options in names.items()]


AUTH_PASSWORD_VALIDATORS = password_validators(breaches=env.flag("BREACHED_PASSWORDS", default=PRODUCTION))
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "overview"
AUDITOR_REDIRECT_URL = "auditor-home"
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_NAME = "__Host-session" if PRODUCTION else "session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_IDLE_SECONDS = 15 * 60
SESSION_WARNING_SECONDS = 2 * 60
CEREMONY_COOKIE_NAME = "__Host-ceremony" if PRODUCTION else "ceremony"
KNOWN_BROWSER_COOKIE_NAME = "__Host-known" if PRODUCTION else "known"
NETWORK_TRIES = 100
STEP_UP_SECONDS = 5 * 60
CSRF_COOKIE_NAME = "__Host-csrf" if PRODUCTION else "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_USE_SESSIONS = False
CSRF_FAILURE_VIEW = "accounts.refusals.csrf_failure"
OTP_TOTP_ISSUER = "Surety"

# Transport
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION
# A machine that speaks plain HTTP is told so, not led on: its token would go on travelling in the clear.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^api/", r"^scim/", r"^calendar/feed/"]
SECURE_HSTS_SECONDS = 2 * 365 * 24 * 3600 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
BEHIND_PROXY = env.flag("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    }
}

# Files
STATIC_URL = "static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / ".surety" / "static")))
STATICFILES_DIRS = [
    (name, BASE_DIR / "node_modules" / package)
    for name, package in {
        "tabler/css": "@tabler/core/dist/css",
        "tabler/js": "@tabler/core/dist/js",
        "tabler/img": "@tabler/core/dist/img",
        "htmx": "htmx.org/dist",
        "echarts": "echarts/dist",
    }.items()
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION

# Language and time
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# Mail
EMAIL_BACKEND = env.text(
    "EMAIL_BACKEND",
    "django.core.mail.backends.smtp.EmailBackend"
    if PRODUCTION
    else "django.core.mail.backends.console.EmailBackend",
)
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.integer("EMAIL_PORT", 25)
EMAIL_TIMEOUT = 10
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=PRODUCTION)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.given_secret("EMAIL_HOST_PASSWORD") or ""
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "surety@localhost")

# Background work: short messages that say which row; Redis may lose them all
CELERY_BROKER_URL = env.redis_url()
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A page doesn't wait for a doorbell that is broken: one more try at once, and the sweeper does the rest.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "max_retries": 1,
    "interval_start": 0,
}
CELERY_TASK_PUBLISH_RETRY = False
SWEEP_SECONDS = env.integer("SWEEP_SECONDS", 15)
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "tasks.sweep.ring_for_due_work",
        "schedule": SWEEP_SECONDS,
        # Behind a long queue one sweep is as good as many.
        "options": {"expires": 2 * SWEEP_SECONDS},
    },
    "sweep vault": {"task": "tasks.sweep.sweep_vault", "schedule": 3600, "options": {"expires": 3600}},
}

# Keys: 256 bits each, base64 or any text of at least 32 characters
AUDIT_MAC_KEY = env.secret("AUDIT_MAC_KEY").encode()
AUDIT_MAC_KEY_ID = env.text("AUDIT_MAC_KEY_ID", "1")
AUDIT_MAC_KEYS_RETIRED = env.keyring("AUDIT_MAC_KEYS_RETIRED")
FIELD_KEY = env.secret("FIELD_KEY").encode()
FIELD_KEY_ID = env.text("FIELD_KEY_ID", "1")
FIELD_KEYS_RETIRED = env.keyring("FIELD_KEYS_RETIRED")

# The audit log's sealer; no other process reads its private keys
SEAL_SECONDS = env.integer("SEAL_SECONDS", 1)
ANCHOR_SECONDS = env.integer("ANCHOR_SECONDS", 60)
ANCHOR_STORE = env.text("ANCHOR_STORE", "file")
ANCHOR_DIRECTORY = Path(
    env.text("ANCHOR_DIRECTORY", str(env.state() / "anchor") if not PRODUCTION else "/anchor")
)
ANCHOR_BUCKET = env.text("ANCHOR_BUCKET", "")
ANCHOR_ENDPOINT_URL = env.text("ANCHOR_ENDPOINT_URL", "")
ANCHOR_PROFILE = env.text("ANCHOR_PROFILE", "")
AUDIT_SIGNING_KEYS = (
    [env.secret("AUDIT_SIGNING_KEY"), *filter(None, [env.find_secret("AUDIT_SIGNING_KEY_NEXT")])]
    if env.role() is Role.SEALER
    else []
)

# The vault
# What is uploaded to be kept there waits in memory, never in a file of its own that isn't encrypted.
FILE_UPLOAD_MAX_MEMORY_SIZE = 11 << 20
VAULT_STORE = env.text("VAULT_STORE", "file")
VAULT_DIRECTORY = Path(
    env.text("VAULT_DIRECTORY", str(env.state() / "vault") if not PRODUCTION else "/vault")
)
VAULT_BUCKET = env.text("VAULT_BUCKET", "")
VAULT_ENDPOINT_URL = env.text("VAULT_ENDPOINT_URL", "")
VAULT_KMS_ENDPOINT_URL = env.text("VAULT_KMS_ENDPOINT_URL", "")
VAULT_PROFILE = env.text("VAULT_PROFILE", "")
VAULT_KEY = env.text("VAULT_KEY", "local")
VAULT_LOCAL_KEY = env.secret("VAULT_LOCAL_KEY") if VAULT_KEY == "local" else ""

# Connections to addresses that tenants name (accounts.outbound)
OUTBOUND_NETWORKS = env.listing("OUTBOUND_NETWORKS", "" if PRODUCTION else "127.0.0.0/8,::1/128")
OUTBOUND_PLAIN_HTTP = not PRODUCTION
DNS_RESOLVERS = env.listing("DNS_RESOLVERS")

# Clients without a stored secret (accounts.clients.keyless). Where AWS is elsewhere, its STS is there alone.
STS_ENDPOINT_URL = env.text("AWS_ENDPOINT_URL_STS", env.text("AWS_ENDPOINT_URL", ""))
API_NONCES_PER_MINUTE = env.integer("API_NONCES_PER_MINUTE", 600)

# Collection
AWS_PRINCIPAL_ARN = env.text("AWS_PRINCIPAL_ARN", "arn:aws:iam::123456789012:root")
ROLE_TEMPLATE_URL = env.text("ROLE_TEMPLATE_URL", "")
COLLECT_CONCURRENCY = env.integer("COLLECT_CONCURRENCY", 16)
COLLECT_UNIT_SECONDS = env.integer("COLLECT_UNIT_SECONDS", 600)
COLLECT_LEASE_SECONDS = env.integer("COLLECT_LEASE_SECONDS", 30)
COLLECT_EVERY_HOURS = env.integer("COLLECT_EVERY_HOURS", 24)

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    # Who may is decided before a view is reached, by what it declares (accounts.middleware).
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "portal.api.errors.translate",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Surety",
    "VERSION": "1",
    "DESCRIPTION": "What the portal knows, for machines. docs/api.md begins with a first call.",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # With ?fields= an answer leaves out what wasn't asked for.
    "COMPONENT_NO_READ_ONLY_REQUIRED": True,
    "POSTPROCESSING_HOOKS": [],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "client": {
                "type": "oauth2",
                "flows": {
                    "clientCredentials": {
                        "tokenUrl": "/api/v1/oauth/token",
                        "scopes": {str(scope): words for scope, words in WORDS.items()},
                    }
                },
            },
            "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE_NAME},
        }
    },
}

# Machines
SCIM_REQUESTS_PER_MINUTE = env.integer("SCIM_REQUESTS_PER_MINUTE", 1500)
API_REQUESTS_PER_MINUTE = env.integer("API_REQUESTS_PER_MINUTE", 3000)

# Logs: one JSON line an event on standard error; never a secret, never evidence
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Without the frames' variables, which can hold passwords and evidence.
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ),
        structlog.processors.JSONRenderer(),
    ],
    logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"django.request": {"level": "ERROR"}},
}

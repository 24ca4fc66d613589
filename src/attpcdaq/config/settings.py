"""Django's settings: composition only; everything that differs between sites comes from the environment."""

from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import SELF

from attpcdaq.config.database_url import database_settings
from attpcdaq.config.environment import read_environment
from attpcdaq.config.logs import logging_settings
from attpcdaq.gateways.offsite_address import offsite_address

ENVIRONMENT = read_environment()
PACKAGE = Path(__file__).resolve().parent.parent
# What `make manual` builds of docs/.
HELP = PACKAGE.parent.parent / "build" / "help"

SECRET_KEY = ENVIRONMENT.secret_key.get_secret_value()
DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
CSRF_TRUSTED_ORIGINS = ENVIRONMENT.csrf_trusted_origins
DATABASES = {"default": database_settings(ENVIRONMENT.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "attpcdaq.config.urls"
ASGI_APPLICATION = "attpcdaq.config.asgi.application"
WSGI_APPLICATION = "attpcdaq.config.wsgi.application"
TIME_ZONE = ENVIRONMENT.time_zone
USE_TZ = True
LANGUAGE_CODE = "en-gb"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
    "ninja",
    "attpcdaq.config",
    "attpcdaq.audit",
    "attpcdaq.topology",
    "attpcdaq.runlog",
    "attpcdaq.live",
    "attpcdaq.runcontrol",
    "attpcdaq.shifts",
    "attpcdaq.monitor",
    "attpcdaq.web",
]
MIDDLEWARE = [
    "attpcdaq.web.request_ids.identified",
    "attpcdaq.web.by_proxy.by_proxy",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "attpcdaq.web.metrics.timed",
    "attpcdaq.web.bad_days.bad_days",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "attpcdaq.web.audited.audited",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "attpcdaq.web.one_time.ChooseFirst",
    "attpcdaq.web.wrong_method.wrong_method",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "attpcdaq.config.middleware.in_one_thread",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "attpcdaq.web.control_bar.frame",
            ]
        },
    }
]

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "status"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.05  # hours: three minutes, long for a guesser, short for a shifter at 4 a.m.
AXES_CLIENT_IP_CALLABLE = "attpcdaq.web.requester.address_or_none"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_VERBOSE = False

# Named after the product: other programs on the same host use the default names.
SESSION_COOKIE_NAME = f"{ENVIRONMENT.cookie_prefix}_session"
SESSION_COOKIE_AGE = 60 * 60 * 12
CSRF_COOKIE_NAME = f"{ENVIRONMENT.cookie_prefix}_csrf"
THEME_COOKIE_NAME = f"{ENVIRONMENT.cookie_prefix}_theme"
# Not in cookies: those of HTTP and HTTPS would not be told apart.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
TRUSTED_PROXIES = tuple(ENVIRONMENT.trusted_proxies)
# web/by_proxy leaves the header only where its sender is believed.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = ENVIRONMENT.hsts_seconds
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
        "base-uri": ["'none'"],
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = ENVIRONMENT.static_root
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "attpcdaq.web.static_files.HashedFiles"
        if STATIC_ROOT
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_AUTOREFRESH = DEBUG

SILENCED_SYSTEM_CHECKS = [
    # HSTS holds for every port of a host: HTTP on loopback, and other programs there, would be shut out, and with a
    # certificate that ran out nobody could get in at all. ATTPCDAQ_HSTS_SECONDS switches it on.
    "security.W004",
    "security.W005",
    "security.W021",
    # HTTP is served on loopback only (nginx), and needed there when the certificate is bad.
    "security.W008",
    # The environment's own check asks for 32 characters; this one would ask for 50.
    "security.W009",
    # By HTTPS cookies are Secure, by HTTP on loopback they cannot be: web/by_proxy decides by request.
    "security.W012",
    "security.W016",
]

CELERY_BROKER_URL = ENVIRONMENT.broker_url
BROKER_CA = ENVIRONMENT.broker_ca
EMBEDDED_BROKER = urlsplit(ENVIRONMENT.broker_url).scheme == "filesystem"
SSH_KEY = ENVIRONMENT.ssh_key
SSH_KNOWN_HOSTS = ENVIRONMENT.ssh_known_hosts
SSH_USER = ENVIRONMENT.ssh_user
SERVICE = ENVIRONMENT.service
ALIVE_FILE = ENVIRONMENT.alive_file
TLS_CERT = ENVIRONMENT.tls_cert
OFFSITE = offsite_address(ENVIRONMENT.offsite) if ENVIRONMENT.offsite else None

LOGGING = logging_settings(ENVIRONMENT)

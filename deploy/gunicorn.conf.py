"""Gunicorn as every process of the product uses it; bind address and kind of worker are given on the command line.

web:     gunicorn -c deploy/gunicorn.conf.py -b ADDRESS -k gthread --threads 8 attpcdaq.config.wsgi
events:  gunicorn -c deploy/gunicorn.conf.py -b ADDRESS -k asgi attpcdaq.config.asgi
"""

import gc
import sys
from importlib import import_module
from typing import Any

from attpcdaq.config.environment import SettingsError, read_environment

try:
    read_environment()
except SettingsError as error:
    sys.exit(f"attpcdaq: {error}")

workers = 1
# The application is loaded once and its pages are shared with the worker. macOS does not bear a fork after that.
preload_app = sys.platform.startswith("linux")
timeout = 30
graceful_timeout = 3
keepalive = 5
asgi_lifespan = "off"
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = "info"


def when_ready(server: Any) -> None:
    """Load what the first request would load, once for all workers, and keep the collector away from shared pages."""
    if preload_app:
        import_module("attpcdaq.config.urls")
    gc.collect()
    gc.freeze()

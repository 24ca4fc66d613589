"""Gunicorn as every process of the product uses it; bind address and kind of worker are given on the command line.

web:     gunicorn -c deploy/gunicorn.conf.py -b ADDRESS -k gthread --threads 8 attpcdaq.config.wsgi
events:  gunicorn -c deploy/gunicorn.conf.py -b ADDRESS -k asgi attpcdaq.config.asgi
"""

import gc
import sys
from importlib import import_module
from logging.config import dictConfig
from typing import Any

from gunicorn.glogging import Logger

from attpcdaq.config.environment import SettingsError, read_environment
from attpcdaq.config.logs import logging_settings

try:
    ENVIRONMENT = read_environment()
except SettingsError as error:
    sys.exit(f"attpcdaq: {error}")

STATIC_ROOT = ENVIRONMENT.static_root
if STATIC_ROOT and not (STATIC_ROOT / "staticfiles.json").is_file():
    sys.exit(
        f"attpcdaq: ATTPCDAQ_STATIC_ROOT: there is no staticfiles.json in {STATIC_ROOT}: run manage.py collectstatic"
    )

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


class logger_class(Logger):  # noqa: N801  # Gunicorn's name for it
    """Its lines in the shape of all others. (A `logconfig_dict` would have it make a line for each request.)"""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        dictConfig(logging_settings(ENVIRONMENT))


def when_ready(server: Any) -> None:
    """Load what the first request would load, once for all workers, and keep the collector away from shared pages."""
    if preload_app:
        import_module("attpcdaq.config.urls")
        import_module("attpcdaq.web.templates_read").read_all()
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """Say every few seconds that this process is at work; only here, because no thread outlives a fork."""
    import_module("attpcdaq.web.beating").begin(asgi="asgi" in worker.cfg.worker_class_str)


def worker_exit(server: Any, worker: Any) -> None:
    """It ends as it should."""
    if "attpcdaq.web.beating" in sys.modules:
        sys.modules["attpcdaq.web.beating"].end()

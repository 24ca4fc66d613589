"""ASGI entry: the event stream, and in the demo the pages too."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attpcdaq.config.settings")
application = get_asgi_application()

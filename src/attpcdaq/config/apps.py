"""The application that puts the others together."""

from importlib import import_module

from django.apps import AppConfig


class CompositionConfig(AppConfig):
    name = "attpcdaq.config"
    label = "composition"

    def ready(self) -> None:
        # Every process that may publish a task needs the Celery application to be there first.
        import_module("attpcdaq.config.celery")

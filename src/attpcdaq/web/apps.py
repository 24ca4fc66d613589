from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "attpcdaq.web"

    def ready(self) -> None:
        from attpcdaq.web import logins  # noqa: F401  # listens to log-ins from now on

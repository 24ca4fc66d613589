from django.apps import AppConfig


class RunLogConfig(AppConfig):
    name = "attpcdaq.runlog"

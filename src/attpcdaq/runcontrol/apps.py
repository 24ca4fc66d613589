from django.apps import AppConfig


class RunControlConfig(AppConfig):
    name = "attpcdaq.runcontrol"

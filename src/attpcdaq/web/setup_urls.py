"""Addresses below setup/."""

from django.urls import path

from attpcdaq.web import host_key_pages, setup_load, setup_pages

urlpatterns = [
    path("", setup_pages.overview, name="setup"),
    path("configurations", setup_pages.choose_configs, name="setup-configs"),
    path("fetch", setup_pages.fetch, name="setup-fetch"),
    path("file", setup_pages.download, name="setup-file"),
    path("load", setup_load.load_file, name="setup-load"),
    path("easy", setup_load.easy, name="setup-easy"),
    path("apply", setup_load.apply, name="setup-apply"),
    path("host-keys/", host_key_pages.overview, name="setup-host-keys"),
    path("host-keys/read", host_key_pages.read, name="host-key-read"),
    path("host-keys/pin", host_key_pages.pin, name="host-key-pin"),
    path("host-keys/unpin", host_key_pages.unpin, name="host-key-unpin"),
]

"""Addresses below setup/."""

from django.urls import path

from attpcdaq.web import host_key_pages, setup_configs, setup_load, setup_pages, setup_row_pages, setup_tests

urlpatterns = [
    path("", setup_pages.overview, name="setup"),
    path("configurations", setup_configs.choose_each, name="setup-configs"),
    path("configurations/all", setup_configs.choose_for_all, name="setup-config-all"),
    path("configurations/<str:name>/", setup_configs.of_server, name="setup-config-choose"),
    path("fetch", setup_configs.fetch, name="setup-fetch"),
    path("file", setup_pages.download, name="setup-file"),
    path("load", setup_load.load_file, name="setup-load"),
    path("easy", setup_load.easy, name="setup-easy"),
    path("apply", setup_load.apply, name="setup-apply"),
    path("draft", setup_load.draft, name="setup-draft"),
    path("draft/discard", setup_row_pages.discard, name="setup-draft-discard"),
    path("rows/<slug:kind>/add", setup_row_pages.add, name="setup-row-add"),
    path("rows/<slug:kind>/test", setup_tests.typed, name="setup-row-test"),
    path("rows/<slug:kind>/<str:name>/", setup_row_pages.edit, name="setup-row"),
    path("rows/<slug:kind>/<str:name>/remove", setup_row_pages.remove, name="setup-row-remove"),
    path("rows/<slug:kind>/<str:name>/test", setup_tests.saved, name="setup-saved-test"),
    path("tests/<uuid:test_id>/", setup_tests.result, name="setup-test"),
    path("host-keys/", host_key_pages.overview, name="setup-host-keys"),
    path("host-keys/read", host_key_pages.read, name="host-key-read"),
    path("host-keys/pin", host_key_pages.pin, name="host-key-pin"),
    path("host-keys/unpin", host_key_pages.unpin, name="host-key-unpin"),
]

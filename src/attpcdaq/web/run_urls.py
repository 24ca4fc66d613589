"""Addresses below runs/."""

from django.urls import path

from attpcdaq.web import (
    config_pages,
    rates_pages,
    run_experiments,
    run_exports,
    run_manifest,
    run_measurements,
    run_observables,
    run_pages,
    run_plots,
    run_sheet,
)

urlpatterns = [
    path("", run_pages.run_list, name="runs"),
    path("runs.csv", run_exports.export, {"kind": "csv"}, name="runs-csv"),
    path("runs.xlsx", run_exports.export, {"kind": "xlsx"}, name="runs-xlsx"),
    path("runs.json", run_exports.export, {"kind": "json"}, name="runs-json"),
    path("of/<str:experiment>/<int:number>/", run_sheet.sheet, name="run-sheet"),
    path("of/<str:experiment>/<int:number>/rates", rates_pages.run_rates, name="run-rates"),
    path("of/<str:experiment>/<int:number>/configuration/", config_pages.of_run, name="run-configuration"),
    path("configurations/<int:pk>/", config_pages.one_file, name="configuration-file"),
    path("configurations/<int:pk>/raw", config_pages.raw, name="configuration-raw"),
    path("configurations/diff", config_pages.compare, name="configurations-diff"),
    path("of/<str:experiment>/<int:number>/manifest.json", run_manifest.download, name="run-manifest"),
    path("of/<str:experiment>/<int:number>/check", run_manifest.check, name="run-check"),
    path("experiments/", run_experiments.overview, name="experiments"),
    path("experiments/activate", run_experiments.activate, name="experiment-activate"),
    path("experiments/<str:experiment>/", run_experiments.rename, name="experiment"),
    path("measurements/", run_measurements.table, name="measurements"),
    path("plots/", run_plots.page, name="plots"),
    path("observables/", run_observables.overview, name="observables"),
    path("observables/order", run_observables.order, name="observables-order"),
    path("observables/copy", run_observables.copy, name="observables-copy"),
    path("observables/<int:pk>/retire", run_observables.retire, name="observable-retire"),
    path("observables/<int:pk>/bring-back", run_observables.bring_back, name="observable-bring-back"),
    path("observables/<int:pk>/", run_observables.edit, name="observable"),
    path("observables/<int:pk>/move", run_observables.move, name="observable-move"),
    path("observables/<int:pk>/remove", run_observables.remove, name="observable-remove"),
]

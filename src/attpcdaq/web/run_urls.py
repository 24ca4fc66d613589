"""Addresses below runs/."""

from django.urls import path

from attpcdaq.web import run_experiments, run_observables, run_pages, run_sheet

urlpatterns = [
    path("", run_pages.run_list, name="runs"),
    path("runs.csv", run_pages.export, name="runs-csv"),
    path("of/<str:experiment>/<int:number>/", run_sheet.sheet, name="run-sheet"),
    path("of/<str:experiment>/<int:number>/same-as-previous", run_sheet.same_as_previous, name="run-same-as-previous"),
    path("experiments/", run_experiments.overview, name="experiments"),
    path("experiments/activate", run_experiments.activate, name="experiment-activate"),
    path("observables/", run_observables.overview, name="observables"),
    path("observables/<int:pk>/", run_observables.edit, name="observable"),
    path("observables/<int:pk>/move", run_observables.move, name="observable-move"),
    path("observables/<int:pk>/remove", run_observables.remove, name="observable-remove"),
]

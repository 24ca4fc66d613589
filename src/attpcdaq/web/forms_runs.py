"""Forms of the run log."""

from typing import TYPE_CHECKING, Any

from django import forms

from attpcdaq.runlog import experiments
from attpcdaq.runlog.models import Experiment, Observable, RunClass, RunState
from attpcdaq.runlog.values import ALLOWED, unfit_values

if TYPE_CHECKING:
    _ObservableModelForm = forms.ModelForm[Observable]
else:
    _ObservableModelForm = forms.ModelForm  # not subscriptable at run time

ANY = [("", "any")]


class RunFilter(forms.Form):
    """Which runs the list shows."""

    run_class = forms.ChoiceField(label="Class", choices=ANY + RunClass.choices, required=False)
    state = forms.ChoiceField(label="State", choices=ANY + RunState.choices, required=False)
    text = forms.CharField(label="Text", max_length=100, required=False)


class ExperimentForm(forms.Form):
    """The name of a new experiment."""

    name = forms.CharField(
        label="New experiment",
        strip=False,
        max_length=200,
        help_text="1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit: "
        "it becomes the directory of the data on every node.",
    )

    def clean_name(self) -> str:
        try:
            return experiments.check_name(self.cleaned_data["name"])
        except experiments.ExperimentRefusedError as error:
            raise forms.ValidationError(str(error)) from None


class ObservableForm(_ObservableModelForm):
    """An observable of one experiment; its type may change only to one that all recorded values fit."""

    class Meta:
        model = Observable
        fields = ("name", "value_type", "unit", "comment")
        labels = {"value_type": "Type"}

    def __init__(self, *args: Any, experiment: Experiment | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.experiment = experiment

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for field in ("name", "unit", "comment"):
            if not cleaned.get(field, "").isprintable():
                self.add_error(field, "Use printable characters on one line.")
        same = Observable.objects.filter(experiment=self.experiment, name__iexact=cleaned.get("name", ""))
        if same.exclude(pk=self.instance.pk).exists():
            self.add_error("name", "This experiment has an observable of this name; choose another name.")
        return cleaned

    def clean_value_type(self) -> str:
        value_type = str(self.cleaned_data["value_type"])
        unfit = unfit_values(self.instance, value_type) if self.instance.pk else []
        if unfit:
            allowed = ALLOWED[value_type]  # type: ignore[index]  # the choices are those of the model
            raise forms.ValidationError(f"Recorded values are not {allowed}: {', '.join(unfit[:5])}.")
        return value_type

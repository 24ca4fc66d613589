"""Forms of the run log."""

from typing import TYPE_CHECKING, Any

from django import forms

from attpcdaq.runlog import experiments, observables
from attpcdaq.runlog.models import Experiment, Observable

if TYPE_CHECKING:
    _ObservableModelForm = forms.ModelForm[Observable]
else:
    _ObservableModelForm = forms.ModelForm  # not subscriptable at run time

NAME_RULE = "1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit"


class ExperimentForm(forms.Form):
    """The name of a new experiment."""

    name = forms.CharField(
        label="New experiment",
        strip=False,
        max_length=200,
        help_text=f"{NAME_RULE}: it becomes the directory of the data on every node.",
    )

    def clean_name(self) -> str:
        try:
            return experiments.check_name(self.cleaned_data["name"])
        except experiments.ExperimentRefusedError as error:
            raise forms.ValidationError(str(error)) from None


class RenameForm(ExperimentForm):
    """Another name for an experiment."""

    name = forms.CharField(label="New name", strip=False, max_length=200, help_text=f"{NAME_RULE}.")


class ObservableForm(_ObservableModelForm):
    """An observable of one experiment; what is allowed is decided where it is stored (observables.faults)."""

    class Meta:
        model = Observable
        fields = ("name", "value_type", "unit", "comment", "required", "minimum", "maximum")
        labels = {"value_type": "Type", "required": "Required", "minimum": "Smallest value", "maximum": "Largest value"}
        help_texts = {
            "comment": "What to write down, and where to read it.",
            "required": "A sheet without it is called incomplete.",
            "minimum": "Numbers only; empty: no limit.",
            "maximum": "Numbers only; empty: no limit.",
        }

    def __init__(self, *args: Any, experiment: Experiment | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.experiment = experiment

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.experiment:
            wanted = Observable(pk=self.instance.pk, experiment=self.experiment, **cleaned)
            for name, text in observables.faults(wanted).items():
                if name in cleaned:
                    self.add_error(name, text)
        return cleaned

    def refuse(self, errors: dict[str, str]) -> None:
        """What was found wrong only when it was to be stored."""
        for name, text in errors.items():
            self.add_error(name, text)

"""The client against the API's own document: every call, every field."""

from typing import Any

import pytest

import attpcdaq_client.client  # noqa: F401  # makes all calls
from attpcdaq_client.calls import CALLS, Call
from tests.client import documents

OPERATIONS = documents.operations()


def name(call: Call[Any]) -> str:
    return f"{call.method} {call.path}"


def test_the_client_has_every_call_of_the_api_once() -> None:
    assert sorted(map(name, CALLS)) == sorted(f"{method} {path}" for method, path in OPERATIONS)


@pytest.mark.parametrize("call", CALLS, ids=name)
def test_a_call_sends_what_the_api_takes(call: Call[Any]) -> None:
    operation = OPERATIONS[call.method, call.path]
    assert set(call.query) == documents.queries(operation)
    assert set(call.body) == documents.body(operation)


@pytest.mark.parametrize("call", CALLS, ids=name)
def test_a_model_has_every_field_of_the_answer(call: Call[Any]) -> None:
    schema = documents.answer(OPERATIONS[call.method, call.path])
    if schema is None:
        assert call.answer in (type(None), bytes)
    else:
        assert documents.misfits(call, schema) == []

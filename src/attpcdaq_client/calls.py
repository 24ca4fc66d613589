"""Calls of the API as values: address, what is sent, what comes back. Each one that is made is in `CALLS`."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")
CALLS: list["Call[Any]"] = []


class Model(BaseModel):
    """An answer or a part of one. What a newer DAQ says beside it is kept and not looked at."""

    model_config = ConfigDict(frozen=True, extra="allow")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """`path` is that of the OpenAPI document below /api/v1; `query` and `body` are the names that may be sent."""

    method: str
    path: str
    answer: type[T]
    query: tuple[str, ...] = ()
    body: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        CALLS.append(self)

    @property
    def reads(self) -> bool:
        """Whether it may be sent again without harm."""
        return self.method == "GET"

"""What the client knows of the API, held against the document that the running code gives."""

from typing import Any

from pydantic import TypeAdapter

from attpcdaq.web.api import api
from attpcdaq_client.calls import Call

DOCUMENT = api.get_openapi_schema()
GOOD = ("200", "201", "202", "204")
Schema = dict[str, Any]


def operations() -> dict[tuple[str, str], Schema]:
    """(method, path below /api/v1) -> operation."""
    return {
        (method.upper(), path.removeprefix("/api/v1")): operation
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    }


def queries(operation: Schema) -> set[str]:
    return {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}


def body(operation: Schema) -> set[str]:
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return set(resolved(schema, DOCUMENT).get("properties", {}))


def answer(operation: Schema) -> Schema | None:
    """The schema of what is answered when all is well; None for no body or one that is no JSON."""
    response = next(each for code, each in operation["responses"].items() if str(code) in GOOD)
    content = response.get("content", {})
    found: Schema | None = content.get("application/json", {}).get("schema")
    return found or None


def misfits(call: Call[Any], theirs: Schema) -> list[str]:
    """Where the client's model is not what the document says."""
    ours = TypeAdapter(call.answer).json_schema(mode="validation")
    return list(_compared(ours, ours, theirs, call.path))


def resolved(schema: Schema, document: Schema) -> Schema:
    """What a reference stands for, with the null of an optional one taken out."""
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    if len(schema.get("allOf", ())) == 1:
        return resolved(schema["allOf"][0], document)
    return schema


def _kinds(schema: Schema, document: Schema) -> tuple[list[Schema], bool]:
    """The alternatives without null, and whether null is one."""
    schema = resolved(schema, document)
    each = [resolved(one, document) for one in schema.get("anyOf", [schema])]
    return [one for one in each if one.get("type") != "null"], any(one.get("type") == "null" for one in each)


def _compared(ours: Schema, root: Schema, theirs: Schema, place: str) -> Any:
    mine, mine_null = _kinds(ours, root)
    other, other_null = _kinds(theirs, DOCUMENT)
    if other_null and not mine_null and mine != [{}]:
        yield f"{place}: may be null"
    if len(mine) != 1 or len(other) != 1:
        if {one.get("type") for one in mine} != {one.get("type") for one in other}:
            yield f"{place}: {mine} is {other}"
        return
    yield from _of_one_kind(mine[0], root, other[0], place)


def _of_one_kind(ours: Schema, root: Schema, theirs: Schema, place: str) -> Any:
    if not ours or ours.get("type") is None or theirs.get("type") is None:  # anything
        return
    if ours["type"] != theirs["type"] or (ours.get("format") == "date-time") != (theirs.get("format") == "date-time"):
        yield f"{place}: {ours['type']} {ours.get('format', '')} is {theirs['type']} {theirs.get('format', '')}"
    elif ours["type"] == "array":
        yield from _compared(ours.get("items", {}), root, theirs.get("items", {}), f"{place}[]")
    elif "properties" in ours or "properties" in theirs:
        mine, other = ours.get("properties", {}), theirs.get("properties", {})
        yield from (f"{place}.{name}: the API does not say it" for name in mine.keys() - other.keys())
        yield from (f"{place}.{name}: is missing" for name in other.keys() - mine.keys())
        for name in mine.keys() & other.keys():
            yield from _compared(mine[name], root, other[name], f"{place}.{name}")
    elif isinstance(ours.get("additionalProperties"), dict) and isinstance(theirs.get("additionalProperties"), dict):
        yield from _compared(ours["additionalProperties"], root, theirs["additionalProperties"], f"{place}.*")

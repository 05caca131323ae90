"""What the topology may say about a REST system; docs/topology.md explains each key."""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping
from typing import Any

from marshmallow import ValidationError, validates_schema

from app.adapters.base import PlannedOrder
from config.strict_schema import Block, Checked, Choice, Many, Number, Problem, StrictSchema, Text, fail, nearest

OF_A_POSTING = ("kind", "plant", "posting_key")
_OF_A_CALL = (*OF_A_POSTING, "short_key")
DOTTED_PATH = r"[^.\s]+(\.[^.\s]+)*"


class Template(Text):
    """Text with the placeholders that this call can fill, each in braces."""

    def __init__(self, placeholders: Collection[str], *, begins_with: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._placeholders = placeholders
        self._begins_with = begins_with

    def check(self, value: Any) -> str:
        text = super().check(value)
        try:
            names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        except ValueError:
            raise fail(f"{text!r} has a brace without its pair", "write {{ for a brace that is meant as such") from None
        for name in names:
            if name not in self._placeholders:
                raise fail(f"{{{name}}} is no placeholder here", nearest(name, self._placeholders, "remove it"))
        if not text.startswith(self._begins_with):
            raise fail(f"{text!r} does not begin with {self._begins_with!r}", f"write {self._begins_with}{text}")
        return text


class Templates(Checked):
    """Names with a template each: query parameters or headers."""

    def __init__(self, placeholders: Collection[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._template = Template(placeholders)

    def check(self, value: Any) -> Mapping[str, str]:
        if not isinstance(value, Mapping):
            raise fail("this should be a block of keys", "write for example {plant: '{plant}'}")
        found: dict[str, Any] = {}
        for name, text in value.items():
            try:
                self._template.check(text)
            except ValidationError as error:
                found[name] = error.messages
        if found:
            raise ValidationError(found)
        return value


class Fields(Templates):
    """Our names with the path to each in a row; ``quantity.value`` stands within ``quantity``."""

    def __init__(self, known: Collection[str] = (), **kwargs: Any) -> None:
        super().__init__((), **kwargs)
        self._known = known

    def check(self, value: Any) -> Mapping[str, str]:
        fields = super().check(value)
        found = {name: problem for name in fields if (problem := self._problem(name, fields)) is not None}
        if found:
            raise ValidationError({name: [problem] for name, problem in found.items()})
        return fields

    def _problem(self, name: str, fields: Mapping[str, str]) -> Problem | None:
        outer = name.partition(".")[0]
        if self._known and outer not in self._known:
            return Problem(f"{name!r} is no field here", nearest(outer, self._known))
        if outer != name and outer in fields:
            return Problem(f"{name!r} lies within {outer!r}, which is given as well", "remove one of the two")
        return None


def statuses(**kwargs: Any) -> Many:
    return Many(Number(100, 599, whole=True), mend="list HTTP status codes such as [404]", **kwargs)


def dotted_path(**kwargs: Any) -> Text:
    return Text(DOTTED_PATH, mend="give the keys to it, parted by dots: data.0.id", **kwargs)


class AuthSchema(StrictSchema):
    scheme = Choice("none", "bearer", "basic", "api_key", required=True)
    header = Text(r"[A-Za-z0-9-]+", mend="give a header name such as X-Api-Key")
    user = Text(r"[^:\s]+", mend="give the user's name")

    @validates_schema
    def need_what_the_scheme_needs(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["scheme"] == "api_key" and "header" not in data:
            raise ValidationError({"header": [Problem("it is missing", "add for example header: X-Api-Key")]})
        if data["scheme"] == "basic" and "user" not in data:
            raise ValidationError({"user": [Problem("it is missing", "name the user; the secret is the password")]})


def _path(*placeholders: str) -> Template:
    return Template(placeholders, begins_with="/", mend="give a path such as /documents/{posting_key}", required=True)


class PostSchema(StrictSchema):
    method = Choice("POST", "PUT", "PATCH")
    path = _path(*_OF_A_CALL)
    query = Templates(_OF_A_CALL)
    body = Choice("document", "none")
    part = dotted_path()
    reference = dotted_path()
    success_status = statuses(at_least=1)


class EntrySchema(StrictSchema):
    posting_key = Text()
    kind = Text()
    plant = Text()
    document = Text()


class BatchSchema(StrictSchema):
    method = Choice("POST", "PUT")
    path = _path()
    query = Templates(())
    at_most = Number(2, 1_000, whole=True)
    entry = Block(EntrySchema)
    part = dotted_path()
    results = dotted_path()
    result_key = dotted_path()
    status = dotted_path()
    reference = dotted_path()
    success_status = statuses(at_least=1)


class FindSchema(StrictSchema):
    method = Choice("GET", "POST")
    path = _path(*_OF_A_CALL)
    query = Templates(_OF_A_CALL)
    body = Choice("document", "none")
    reference = dotted_path()
    success_status = statuses(at_least=1)
    absent_status = statuses()
    absent_when_empty = dotted_path()

    @validates_schema
    def can_tell_absence(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data.get("absent_status", [404]) and "absent_when_empty" not in data:
            mend = "give absent_status, or absent_when_empty for a search that answers with an empty list"
            raise ValidationError({"absent_status": [Problem("nothing tells that a document is absent", mend)]})


class ReverseSchema(StrictSchema):
    method = Choice("POST", "PUT", "PATCH")
    path = _path(*_OF_A_CALL, "reference")
    query = Templates((*_OF_A_CALL, "reference"))
    body = Choice("document", "none")
    part = dotted_path()
    reference = dotted_path()
    success_status = statuses(at_least=1)


class ReadCallSchema(StrictSchema):
    method = Choice("GET")
    path = _path()
    query = Templates(())
    rows = dotted_path()
    next = dotted_path()
    names = Fields(data_key="fields")


class ReadOrdersSchema(ReadCallSchema):
    query = Templates(("since",))
    names = Fields(sorted(PlannedOrder.__annotations__.keys() - {"fault"}), data_key="fields")


class ReadSchema(StrictSchema):
    items = Block(ReadCallSchema)
    balances = Block(ReadCallSchema)
    production_orders = Block(ReadOrdersSchema)


class CheckSchema(StrictSchema):
    method = Choice("GET")
    path = _path()
    query = Templates(())
    success_status = statuses(at_least=1)


class CsrfSchema(StrictSchema):
    path = _path()
    query = Templates(())


class HttpJsonOptions(StrictSchema):
    auth = Block(AuthSchema, mend="say how to log in: auth: {scheme: bearer}, or {scheme: none}", required=True)
    csrf = Block(CsrfSchema)
    headers = Templates(_OF_A_CALL)
    idempotency_header = Text(r"[A-Za-z0-9-]+", mend="give a header name such as Idempotency-Key")
    post = Block(PostSchema, mend="add for example post: {path: '/documents', reference: id}", required=True)
    find = Block(FindSchema, mend="add for example find: {path: '/documents/{posting_key}'}", required=True)
    batch = Block(BatchSchema)
    reverse = Block(ReverseSchema)
    read = Block(ReadSchema)
    check = Block(CheckSchema, mend="add a cheap call that needs the login: check: {path: /health}", required=True)
    problem = dotted_path()
    conflict = Choice("found", "refused")
    pause_status = statuses()
    transient_status = statuses()
    unknown_status = statuses()
    ca_file = Text(r"/.+", mend="give the absolute path of a PEM file")

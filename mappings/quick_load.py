"""Load data by a marshmallow schema at a fraction of its cost, and with the same result.

The schema stays the contract. From it a plain reader is made once, which knows the fields, nested schemas and rules
that ours are made of. It only ever says yes: whatever it cannot read is given to marshmallow itself, which then tells
each fault, or has the last word if it has none. A property test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, missing
from marshmallow.decorators import POST_LOAD, PRE_LOAD, VALIDATES, VALIDATES_SCHEMA

Reader = Callable[[Any, str | None, Any], Any]
"""(value, its name, the data that it stands in) -> the loaded value, as a field's own ``_deserialize``; raises
ValidationError for one that is not read here."""

_NOT_HERE = ValidationError("is not read here")


def quick_load(schema: Schema, data: Any) -> dict[str, Any]:
    """What ``schema.load(data)`` returns; raises its ValidationError."""
    try:
        loaded: dict[str, Any] = _reader(schema)(data, None, None)
    except ValidationError:
        loaded = schema.load(data)
    return loaded


@cache
def _reader(schema: Schema) -> Reader:
    hooks = type(schema).resolve_hooks()
    if schema.many or schema.partial or schema.unknown not in (RAISE, EXCLUDE) or _has_other_hooks(hooks):
        return lambda value, name, within: schema.load(value)
    plan = [_step(name, field) for name, field in schema.load_fields.items()]
    rules = [getattr(schema, name) for name, _, _ in hooks.get(VALIDATES_SCHEMA, ())]
    refuses_unknown, unknown = schema.unknown == RAISE, schema.unknown

    def read(data: Any, _name: str | None, _within: Any) -> dict[str, Any]:
        if type(data) is not dict and not isinstance(data, Mapping):
            raise _NOT_HERE
        loaded: dict[str, Any] = {}
        found = 0
        for key, name, default, allows_null, read_value in plan:
            value = data.get(key, missing)
            if value is missing:
                if default is _NOT_HERE:
                    raise _NOT_HERE
                if default is not missing:
                    loaded[name] = default() if callable(default) else default
                continue
            found += 1
            if value is not None:
                loaded[name] = read_value(value, key, data)
            elif allows_null:
                loaded[name] = None
            else:
                raise _NOT_HERE
        if refuses_unknown and found != len(data):
            raise _NOT_HERE
        for rule in rules:
            rule(loaded, partial=None, many=False, unknown=unknown)
        return loaded

    return read


def _has_other_hooks(hooks: Mapping[str, Any]) -> bool:
    """Those that see the data before or after, or the original."""
    if any(hooks.get(kind) for kind in (PRE_LOAD, POST_LOAD, VALIDATES)):
        return True
    return any(many or options.get("pass_original") for _, many, options in hooks.get(VALIDATES_SCHEMA, ()))


def _step(name: str, field: fields.Field[Any]) -> tuple[str, str, Any, bool, Reader]:
    """(key in the data, name in the result, what stands for a missing one, whether it may be null, reader)."""
    key = name if field.data_key is None else field.data_key
    default = _NOT_HERE if field.required else field.load_default
    return key, field.attribute or name, default, bool(field.allow_none), _value_reader(field)


def _value_reader(field: fields.Field[Any]) -> Reader:
    """For values that are not null. A field that does more than to read its value is asked as a whole."""
    kind = type(field)
    if field.validators or kind.deserialize is not fields.Field.deserialize:
        return field.deserialize
    if (quick := _own_quick_reader(kind)) is not None:
        reader: Reader = quick(field)
        return reader
    if isinstance(field, fields.Nested) and kind._deserialize is fields.Nested._deserialize and _is_plain(field):
        return _reader(field.schema)
    if isinstance(field, fields.Dict) and kind is fields.Dict and field.key_field and field.value_field:
        return _dict_reader(field.key_field, field.value_field)
    if isinstance(field, fields.List) and (lengths := getattr(field, "lengths", None)) is not None:
        return _list_reader(lengths, field.inner)
    return field._deserialize


def _own_quick_reader(kind: type[fields.Field[Any]]) -> Callable[[Any], Reader] | None:
    """The quick reader that stands beside the class's way of reading; a subclass that reads otherwise has none."""
    reads = next(one for one in kind.__mro__ if "_deserialize" in one.__dict__)
    return reads.__dict__.get("quick_reader")


def _is_plain(field: fields.Nested) -> bool:
    return not field.many and field.unknown is None


def _list_reader(lengths: range, member: fields.Field[Any]) -> Reader:
    read, allows_null = _value_reader(member), member.allow_none

    def read_list(value: Any, name: str | None, within: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) not in lengths or (None in value and not allows_null):
            raise _NOT_HERE
        return [None if one is None else read(one, name, within) for one in value]

    return read_list


def _dict_reader(keys: fields.Field[Any], values: fields.Field[Any]) -> Reader:
    read_key, read, allows_null = _value_reader(keys), _value_reader(values), values.allow_none

    def read_dict(value: Any, name: str | None, within: Any) -> dict[Any, Any]:
        if type(value) is not dict or None in value or (not allows_null and None in value.values()):
            raise _NOT_HERE
        return {read_key(key, None, None): None if one is None else read(one, None, None) for key, one in value.items()}

    return read_dict

"""The mapping module of a new source, written as its neighbours are: a schema of the fields, and ``to_canonical``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from app.new_sources.roles import COMPLETED, ISSUED, MOVED, SCRAPPED, Guess, Guesses
from app.new_sources.sample import Path

MARK = "guessed"
LINE_CHARACTERS = 120
_OPTIONAL = ("segment", "lot")


@dataclass
class _Part:
    """One schema class: its fields by role, and the parts within it."""

    name: str
    roles: list[str] = field(default_factory=list)
    parts: dict[str, _Part] = field(default_factory=dict)
    is_list: bool = False


def module_text(family: str, kind: str, guesses: Guesses) -> str:
    """Python text in the form that `ruff format` gives it."""
    list_path = guesses.roles["quantity"].field.list_path
    root = _tree(guesses, list_path)
    parts = [
        _head(family, kind, guesses, list_path),
        "\n\n\n".join(_classes(root, guesses)),
        f"_SCHEMA = {root.name}()",
        _to_canonical(guesses, list_path),
        _event(guesses, list_path),
    ]
    return "\n\n\n".join(parts) + "\n"


def _tree(guesses: Guesses, list_path: Path | None) -> _Part:
    root = _Part("Report")
    names = {root.name}
    for role, each in guesses.roles.items():
        if role == "id":
            continue
        part, path = root, each.field.path
        for depth, key in enumerate(path[:-1], start=1):
            if key not in part.parts:
                part.parts[key] = _Part(_class_name(key, names), is_list=path[:depth] == list_path)
            part = part.parts[key]
        part.roles.append(role)
    return root


def _class_name(key: str, taken: set[str]) -> str:
    words = [word for word in re.split(r"[\W_]+", key) if word and word.isascii()]
    name = "".join(word[:1].upper() + word[1:] for word in words) or "Part"
    name = name if name[0].isalpha() else f"Part{name}"
    while name in taken or name in ("Filled", "Part", "Payload", "Number", "Event", "Repeated", "Written", "Any"):
        name += "Part"
    taken.add(name)
    return name


def _attribute(key: str) -> str:
    name = re.sub(r"\W+", "_", key, flags=re.ASCII).strip("_").lower() or "part"
    name = name if name[0].isalpha() else f"part_{name}"
    # It stands beside fields that are named after their roles, and in a schema that has attributes of its own.
    return f"{name}_part"


def _head(family: str, kind: str, guesses: Guesses, list_path: Path | None) -> str:
    what = "each member of its list" if list_path else "the message"
    unused = ", ".join(guesses.unused)
    lines = [f'"""``{kind}``: {what} becomes a ``{guesses.event}``.', ""]
    lines += [
        "Written by `lineside new source` from a sample. Lines marked as guessed are to be looked at by a person."
    ]
    lines += ["Not used: " + json.dumps(unused, ensure_ascii=False)[1:-1][:100] + "."] if unused else []
    lines += ['"""', "", "from __future__ import annotations", ""]
    lines += ["from collections.abc import Sequence", "from typing import Any", ""]
    return "\n".join([*lines, *_imports(guesses)])


def _imports(guesses: Guesses) -> Iterator[str]:
    if any(len(each.field.path) > 1 for role, each in guesses.roles.items() if role != "id"):
        yield "from mappings.canonical.parts import Part"
    yield "from mappings.context import Event, InboundContext"
    more = {COMPLETED: "transformation_id", ISSUED: "transformation_id", SCRAPPED: "reason_code", MOVED: "storage_code"}
    yield f"from mappings.inbound.payload import Number, Payload, amount, load, present, {more[guesses.event]}"
    yield f"from mappings.inbound.plant_time import {'from_pattern' if guesses.times.pattern else 'from_iso'}"
    is_list = guesses.roles["quantity"].field.list_path is not None
    written = " Written," if any(role in guesses.roles for role in _OPTIONAL) else ""
    yield f"from mappings.inbound.written import Filled,{' Repeated,' if is_list else ''}{written} number"


def _classes(part: _Part, guesses: Guesses) -> Iterator[str]:
    for inner in part.parts.values():
        yield from _classes(inner, guesses)
    lines = [f"class {part.name}(Payload):"]
    for role in part.roles:
        lines += _schema_field(role, guesses.roles[role])
    for key, inner in part.parts.items():
        member = f"Part({inner.name})"
        kind = f"Repeated({member}, low=1, " if inner.is_list else f"{member[:-1]}, "
        lines.append(f"    {_attribute(key)} = {kind}required=True, data_key={_quoted(key)})")
    yield "\n".join(lines)


def _schema_field(role: str, found: Guess) -> list[str]:
    kind = "Number" if role == "quantity" else "Written" if role in _OPTIONAL else "Filled"
    options = "required=True" if role not in _OPTIONAL else 'load_default=""'
    comment = [f"    # {MARK}: {found.doubt[:90]}"] if found.doubt else []
    return [*comment, f"    {role} = {kind}({options}, data_key={_quoted(found.field.path[-1])})"]


def _to_canonical(guesses: Guesses, list_path: Path | None) -> str:
    head = ["def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:"]
    head += ["    report = load(_SCHEMA, payload)"]
    if list_path is None:
        return "\n".join([*head, "    return [_event(report, context)]"])
    members = "report" + "".join(f'["{_attribute(key)}"]' for key in list_path)
    place = ".".join(list_path).replace("{", "{{").replace("}", "}}")
    called = f"_event(report, member, f{_quoted(place + '[{index}]')}, context)"
    return "\n".join([*head, *_comprehension(called, f"for index, member in enumerate({members})")])


def _comprehension(called: str, loop: str) -> list[str]:
    """On as few lines as it fits."""
    if len(one := f"    return [{called} {loop}]") <= LINE_CHARACTERS:
        return [one]
    both = f"        {called} {loop}"
    inner = [both] if len(both) <= LINE_CHARACTERS else [f"        {called}", f"        {loop}"]
    return ["    return [", *inner, "    ]"]


def _event(guesses: Guesses, list_path: Path | None) -> str:
    arguments = "report: Any, member: Any, at: str, " if list_path else "report: Any, "
    lines = [f"def _event({arguments}context: InboundContext) -> Event:", *_quantity_lines(guesses, list_path)]
    lines += [*_data_lines(guesses, list_path), f'    return Event("{guesses.event}", data)']
    return "\n".join(lines)


def _value(role: str, guesses: Guesses, list_path: Path | None) -> str:
    """How the code reaches the value of a role."""
    path = guesses.roles[role].field.path
    inner = list_path is not None and path[: len(list_path)] == list_path
    keys = path[len(list_path) : -1] if inner and list_path else path[:-1]
    return ("member" if inner else "report") + "".join(f'["{_attribute(key)}"]' for key in keys) + f'["{role}"]'


def _place(role: str, guesses: Guesses, list_path: Path | None) -> str:
    """The place that a refusal names."""
    path = guesses.roles[role].field.path
    if list_path is not None and path[: len(list_path)] == list_path:
        rest = ".".join(path[len(list_path) :]).replace("{", "{{").replace("}", "}}")
        return f"f{_quoted('{at}.' + rest)}" if rest else "at"
    return _quoted(".".join(path))


def _quantity_lines(guesses: Guesses, list_path: Path | None) -> list[str]:
    place, unit = _place("quantity", guesses, list_path), '"EA"'
    doubts = [text for text in guesses.doubts if text.startswith(("quantity", "unit"))]
    if "unit" in guesses.roles:
        unit = _value("unit", guesses, list_path)
    return [
        *(f"    # {MARK}: {text[:100]}" for text in doubts),
        "    quantity = amount(",
        f'        number({_value("quantity", guesses, list_path)}, {place}, "{guesses.mark}"),',
        f"        {unit},",
        "        context,",
        f"        {place},",
        "    )",
    ]


def _data_lines(guesses: Guesses, list_path: Path | None) -> list[str]:
    def value(role: str) -> str:
        return _value(role, guesses, list_path)

    def coded(function: str, role: str) -> str:
        return f"{function}({value(role)}, context, {_place(role, guesses, list_path)})"

    doubts = [text for text in guesses.doubts if text.startswith("time")]
    return [
        *(f"    # {MARK}: {text[:100]}" for text in doubts),
        "    data = present(",
        *_time_lines(guesses, list_path),
        '        location={"site": context.plant.code},',
        *(f"        {text}" for text in _own_fields(guesses, value, coded)),
        "    )",
    ]


def _own_fields(guesses: Guesses, value: Callable[[str], str], coded: Callable[[str, str], str]) -> list[str]:
    """What the event's type has beside time and place. ``coded``: a value that a crosswalk may translate."""
    given = {role: f"{role}={value(role)}," for role in _OPTIONAL if role in guesses.roles}
    segment, lot = ([given[role]] if role in given else [] for role in _OPTIONAL)
    item = [f"item={value('item')},", *lot, "quantity=quantity,"]
    if guesses.event == MOVED:
        ends = (("from_", "from_storage"), ("to", "to_storage"))
        return [*item, *(f'{end}={{"storage": {coded("storage_code", role)}}},' for end, role in ends)]
    order = [f"order_id={value('order')},", *segment]
    if guesses.event == SCRAPPED:
        return [*order, *item, f"reason={coded('reason_code', 'reason')},"]
    ending = f", {value('segment')}" if segment else ""
    linked = f"transformation_id=transformation_id(context, {value('order')}{ending}),"
    line = f"[present({' '.join(item)[:-1]})],"
    if guesses.event == ISSUED:
        return [*order, linked, f"components={line}"]
    return [*order, linked, f"outputs={line}", f"final=False,  # {MARK}: nothing says that an order is done"]


def _time_lines(guesses: Guesses, list_path: Path | None) -> list[str]:
    text, place = _value("time", guesses, list_path), _place("time", guesses, list_path)
    if guesses.times.pattern is None:
        return [f"        event_time=from_iso({text}, context.plant, {place}),"]
    if "clock" in guesses.roles:
        text = f'{text} + " " + {_value("clock", guesses, list_path)}'
    return [
        "        event_time=from_pattern(",
        f"            {text},",
        f'            "{guesses.times.pattern}",',
        f'            "{guesses.times.example}",',
        "            context.plant,",
        f"            {place},",
        "        ),",
    ]


def _quoted(text: str) -> str:
    """A Python string as the formatter writes it."""
    return json.dumps(text, ensure_ascii=False)

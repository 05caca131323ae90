"""Options for mappings, checked against what the mappings say that they read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from config.strict_schema import Path, nearest
from config.topology_options import OptionFault
from mappings.options import (
    PLANT_OPTIONS,
    ByPlant,
    Flag,
    Keys,
    Layouts,
    Shape,
    Table,
    Word,
    source_options,
    target_options,
)

# As much as a segment of an IDoc holds.
_WIDEST_COLUMN = 1_000


def plant_option_faults(options: Mapping[str, Any]) -> list[OptionFault]:
    return list(_faults(PLANT_OPTIONS, options, (), ()))


def source_option_faults(family: str, options: Mapping[str, Any], plants: Collection[str]) -> list[OptionFault]:
    return list(_faults(source_options(family), options, (), plants))


def target_option_faults(family: str, options: Mapping[str, Any], plants: Collection[str]) -> list[OptionFault]:
    return list(_faults(target_options(family), options, (), plants))


def _faults(shape: Shape, value: Any, path: Path, plants: Collection[str]) -> Iterator[OptionFault]:
    if isinstance(shape, ByPlant) and not (shape.or_for_all and not isinstance(value, Mapping)):
        yield from _faults_by_plant(shape, value, path, plants)
    elif isinstance(shape, ByPlant):
        yield from _faults(shape.inner, value, path, plants)
    elif isinstance(shape, Keys):
        yield from _faults_of_keys(shape, value, path, plants)
    elif isinstance(shape, Word):
        yield from _faults_of_word(shape, value, path)
    elif isinstance(shape, Table | Layouts):
        yield from _faults_of_entries(shape, value, path, plants)
    elif isinstance(shape, Flag):
        if not isinstance(value, bool):
            yield OptionFault(path, "this should be true or false", "write true or false, without quotes")
    elif not isinstance(value, list):
        yield OptionFault(path, "this should be a list", "write [a, b] or one `- a` a line")
    else:
        for index, word in enumerate(value):
            yield from _faults_of_word(Word(shape.known), word, (*path, index))


def _faults_by_plant(shape: ByPlant, value: Any, path: Path, plants: Collection[str]) -> Iterator[OptionFault]:
    if not isinstance(value, Mapping):
        yield OptionFault(path, "this should be a block with a plant's code as each key", "write {P100: ...}")
        return
    for plant, below in value.items():
        if plant not in plants:
            yield OptionFault((*path, plant), f"there is no plant {plant!r}", nearest(str(plant), plants))
        else:
            yield from _faults(shape.inner, below, (*path, plant), plants)


def _faults_of_keys(shape: Keys, value: Any, path: Path, plants: Collection[str]) -> Iterator[OptionFault]:
    if not isinstance(value, Mapping):
        yield OptionFault(path, "this should be a block of keys", "write `key: value` lines")
        return
    for key, below in value.items():
        if key not in shape.shapes:
            mend = nearest(str(key), shape.shapes, "" if shape.shapes else "remove it: the mapping reads no option")
            yield OptionFault((*path, key), f"no mapping reads an option {key!r} here", mend)
        else:
            yield from _faults(shape.shapes[key], below, (*path, key), plants)


def _faults_of_word(shape: Word, value: Any, path: Path) -> Iterator[OptionFault]:
    if not isinstance(value, str):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        yield OptionFault(path, "this should be text", "put it in quotes" if is_number else "give a text")
    elif not value.strip():
        yield OptionFault(path, "it is empty", "give a text, or remove the key")
    elif shape.known and value not in shape.known:
        yield OptionFault(path, f"{value!r} is not known", nearest(value, shape.known))


def _faults_of_entries(
    shape: Table | Layouts, value: Any, path: Path, plants: Collection[str]
) -> Iterator[OptionFault]:
    if not isinstance(value, Mapping):
        yield OptionFault(path, "this should be a block of keys", "write `key: value` lines")
        return
    for key, below in value.items():
        if isinstance(shape, Table):
            yield from _faults(shape.inner, below, (*path, key), plants)
        elif not isinstance(below, list) or not below or not all(_is_column(entry) for entry in below):
            yield OptionFault((*path, key), "these are no columns", "write [[name, width], ...], each behind the other")


def _is_column(entry: Any) -> bool:
    whole = isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and type(entry[1]) is int
    return whole and 1 <= entry[1] <= _WIDEST_COLUMN

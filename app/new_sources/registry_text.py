"""The lines of a new source in ``mappings/registry.py``, put where the others stand."""

from __future__ import annotations

import re

from app.new_sources.sample import Format

READERS: dict[Format, str] = {"csv": "rows", "fixed_width": "rows", "json": "json_body", "xml": "xml_record"}
LINE_CHARACTERS = 120
_FORMATS = re.compile(r"^from mappings\.formats import (\([^)]+\)|[^(\n]+)$", re.MULTILINE)


class RegistryUnknown(Exception):
    """The registry is not written as it was; the text says what to add by hand."""


def with_mapping(text: str, family: str, kind: str, module: str, form: Format) -> str:
    """The registry's text with the import and the line of the mapping. Raises RegistryUnknown."""
    name = f"{family}_{module}"
    imported = f"from mappings.inbound.{family} import {module} as {name}"
    line = _registry_line(f'("{family}", "{kind}")', f"{READERS[form]}.read, {name}.to_canonical")
    try:
        text = _with_reader(text, READERS[form])
        text = _with_import(text, imported)
        return _with_line(text, line)
    except ValueError:
        raise RegistryUnknown(f"Add to mappings/registry.py by hand:\n{imported}\n{line}") from None


def _registry_line(key: str, arguments: str) -> str:
    line = f"    {key}: InboundMapping({arguments}),"
    return line if len(line) <= LINE_CHARACTERS else f"    {key}: InboundMapping(\n        {arguments}\n    ),"


def _with_reader(text: str, reader: str) -> str:
    found = _FORMATS.search(text)
    if found is None:
        raise ValueError
    names = sorted({*re.findall(r"\w+", found[1]), reader})
    line = f"from mappings.formats import {', '.join(names)}"
    if len(line) > LINE_CHARACTERS:
        line = "from mappings.formats import (\n" + "".join(f"    {name},\n" for name in names) + ")"
    return text[: found.start()] + line + text[found.end() :]


def _with_import(text: str, imported: str) -> str:
    """In the order of modules, as the linter sorts them."""
    lines = text.split("\n")
    places = [place for place, line in enumerate(lines) if line.startswith("from mappings.")]
    behind = [place for place in places if _sorted_by(lines[place]) > _sorted_by(imported)]
    lines.insert(behind[0] if behind else places[-1] + 1, imported)
    return "\n".join(lines)


def _sorted_by(line: str) -> tuple[str, str]:
    module, _, names = line.removeprefix("from ").partition(" import ")
    return module, names


def _with_line(text: str, line: str) -> str:
    start = text.index("INBOUND: dict[")
    end = text.index("\n}\n", start)
    return f"{text[:end]}\n{line}{text[end:]}"

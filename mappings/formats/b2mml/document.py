"""What a B2MML document is about: its noun, bare or in a BOD (a business object document of OAGIS) with a verb.

A reader takes nouns with any verb that tells something (Sync, Process, Notify, Show). Verbs that ask, answer, take back
or send a difference are refused, each with what can be done; so is an ActionExpression that deletes or changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from mappings.context import Deviations, MappingError
from mappings.formats import xml_body
from mappings.formats.b2mml.elements import MAX_ELEMENTS, Builder, Node, local_name
from mappings.formats.b2mml.v0401 import V0401
from mappings.formats.b2mml.v0600 import V0600
from mappings.formats.b2mml.v0700 import V0700

VERSIONS = (V0401, V0600, V0700)
_BY_NAMESPACE = {version.namespace: version for version in VERSIONS}
# The one noun that is notified, and nothing else is done with it.
_EVENT = "OperationsEvent"
_TELLS = ("Sync", "Process", "Notify", "Show")
_RETRACTS = (
    "it takes something back, and nothing here can be taken back by a message: do it by hand, then discard this."
)
_REFUSED = {
    "Get": "it asks, and Lineside answers no questions; discard it.",
    "Change": "it holds a difference only; have the whole sent, as a Sync or Process.",
    "Cancel": _RETRACTS,
    "Delete": _RETRACTS,
    "Acknowledge": "it answers a document and tells nothing new; discard it.",
    "Respond": "it answers a document and tells nothing new; discard it.",
    "Confirm": "it answers a document and tells nothing new; discard it.",
}
_VERBS = (*_TELLS, *_REFUSED)
# What an ActionExpression may do with the noun as it stands: set it, as a whole.
_ACTIONS = frozenset({"add", "replace", "replaced"})
_ACTIONS_REFUSED = {"delete": _RETRACTS, "change": _REFUSED["Change"], "modified": _REFUSED["Change"]}


@dataclass(frozen=True)
class Document:
    """``created``: the BOD's CreationDateTime. ``nouns`` are the elements of the asked names, never empty."""

    created: str | None
    nouns: Sequence[Node]


def open_document(body: bytes, nouns: tuple[str, ...], deviations: Deviations) -> Document:
    """The nouns of a body. Raises MappingError where it is not XML, holds none of these, or must not be taken."""
    # A bound on memory before anything is parsed; in UTF-16 a NUL stands between the two characters of an end.
    if body.count(b"<") - body.count(b"</") - body.count(b"<\0/") > MAX_ELEMENTS:
        told = f"the document holds more than {MAX_ELEMENTS:,} elements; send it in parts."
        raise MappingError("document_too_large", told)
    root = xml_body.read(body)
    found = _outermost(root, nouns)
    bod = _bod_of(found[0]) if found else None
    if not found or _is_part_of_another(root, found[0] if bod is None else bod):
        told = f"the document is a {local_name(root)}; it must hold a {' or a '.join(nouns)}."
        raise MappingError("document_unknown", told)
    _check_wrapping(root, nouns, found, bod, deviations)
    _check_stray_text(root, deviations)
    builder = _builder(found[0], deviations)
    if bod is not None:
        _check_bod(bod, found[0], builder, deviations)
    return Document(_created(bod if bod is not None else root), [builder.node(noun) for noun in found])


def _outermost(root: etree._Element, nouns: tuple[str, ...]) -> list[etree._Element]:
    """The first element of these names and its neighbours of these names: nouns within nouns are parts of them."""
    if local_name(root) in nouns:
        return [root]
    first = next(root.iter(*_any_namespace(nouns)), None)
    if first is None:
        return []
    parent = first.getparent()
    return [element for element in (parent if parent is not None else ()) if local_name(element) in nouns]


def _any_namespace(names: tuple[str, ...]) -> list[str]:
    return [f"{{*}}{name}" for name in names]


def _is_part_of_another(root: etree._Element, top: etree._Element) -> bool:
    """A lot within an event is part of the event; only a foreign envelope may stand around what is asked for."""
    return top is not root and etree.QName(root.tag).namespace in _BY_NAMESPACE


def _bod_of(noun: etree._Element) -> etree._Element | None:
    area = noun.getparent()
    return area.getparent() if area is not None and local_name(area) == "DataArea" else None


def _check_wrapping(
    root: etree._Element,
    nouns: tuple[str, ...],
    found: list[etree._Element],
    bod: etree._Element | None,
    deviations: Deviations,
) -> None:
    """All that is read must stand in one place, and nothing of the kind elsewhere."""
    top = bod if bod is not None else found[0]
    within = {id(noun) for noun in found}
    others = [one for one in root.iter(*_any_namespace(nouns)) if not _stands_in(one, within)]
    if others:
        told = f"the document holds a {local_name(others[0])} in two places; send each as a message of its own."
        raise MappingError("document_ambiguous", told, f"line {others[0].sourceline}")
    if top is not root:
        deviations.allow("b2mml_wrapped", f"the document stands within a {local_name(root)}", f"line {top.sourceline}")


def _stands_in(element: etree._Element | None, within: set[int]) -> bool:
    while element is not None:
        if id(element) in within:
            return True
        element = element.getparent()
    return False


def _check_stray_text(root: etree._Element, deviations: Deviations) -> None:
    stray: Any = root.xpath("//*[*]/text()[normalize-space()]")
    if stray:
        parent = stray[0].getparent()
        told = f"the text {str(stray[0]).strip()[:40]!r} stands between elements"
        deviations.allow("b2mml_text", told, f"line {parent.sourceline}" if parent is not None else None)


def _builder(noun: etree._Element, deviations: Deviations) -> Builder:
    namespace = etree.QName(noun.tag).namespace or ""
    version = _BY_NAMESPACE.get(namespace)
    place = f"line {noun.sourceline}"
    if version is None:
        named = f"the namespace {namespace[:80]!r}" if namespace else "no namespace"
        known = ", ".join(_BY_NAMESPACE)
        deviations.allow("b2mml_version", f"the document stands in {named}, which is none of {known}", place)
    elif local_name(noun) not in version.models:
        deviations.allow("b2mml_noun", f"B2MML {version.code} has no {local_name(noun)}", place)
    return Builder(version, namespace, deviations)


def _check_bod(bod: etree._Element, noun: etree._Element, builder: Builder, deviations: Deviations) -> None:
    root_verb = local_name(bod).removesuffix(local_name(noun))
    area = noun.getparent()
    children = [local_name(child) for child in (area if area is not None else ())]
    verbs = [name for name in children if name in _VERBS]
    for verb in (root_verb, *verbs):
        if verb in _REFUSED:
            raise MappingError("verb_unsupported", f"the verb is {verb}: {_REFUSED[verb]}", f"line {bod.sourceline}")
    for expression in bod.iter("{*}ActionExpression"):
        _check_action(expression)
    _check_envelope(bod, root_verb, children, deviations)
    # Held against the schema only: what is read of them is read above and below.
    for part in (*bod, *(area if area is not None else ())):
        if local_name(part) in ("ApplicationArea", *_TELLS):
            builder.node(part, f"Trans{local_name(part)}")


def _check_action(expression: etree._Element) -> None:
    code = (expression.get("actionCode") or "").strip()
    if code.casefold() in _ACTIONS or not code:
        return
    mend = _ACTIONS_REFUSED.get(code.casefold(), "it is not known what that does; have it sent with Add or Replaced.")
    raise MappingError(
        "action_unsupported", f"the actionCode is {code[:40]!r}: {mend}", f"line {expression.sourceline}"
    )


def _check_envelope(bod: etree._Element, verb: str, in_area: list[str], deviations: Deviations) -> None:
    """What every BOD has by its schema, and some senders leave out."""
    place, name = f"line {bod.sourceline}", local_name(bod)
    noun = name.removeprefix(verb)
    if verb not in _TELLS or (verb == "Notify" if not noun.startswith(_EVENT) else verb != "Notify" and noun == _EVENT):
        deviations.allow("b2mml_bod", f"{name} is no verb and noun of B2MML", place)
    if bod.get("releaseID") is None:
        deviations.allow("b2mml_release", f"{name} lacks the attribute releaseID", place)
    parts = [local_name(child) for child in bod]
    if parts != ["ApplicationArea", "DataArea"]:
        deviations.allow("b2mml_bod", f"{name} holds {', '.join(parts)[:80]}, not ApplicationArea, DataArea", place)
    # The published schema of V0700 has Sync in the DataArea of a Notify.
    wanted = "Sync" if verb == "Notify" else verb
    if in_area[:1] != [wanted] or len(set(in_area[1:])) != 1:
        told = f"the DataArea of {name} holds {', '.join(dict.fromkeys(in_area))[:80]}"
        deviations.allow("b2mml_bod", f"{told}, not {wanted} and what it is about", place)


def _created(element: etree._Element) -> str | None:
    found = next(element.iter("{*}CreationDateTime"), None)
    return None if found is None else (found.text or "").strip() or None

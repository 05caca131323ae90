"""The goods of an event: instances and quantities as lines of items, and packages with what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mappings.canonical.fields import LIST_BOUND
from mappings.context import InboundContext, MappingError
from mappings.formats.gs1_identifiers import LogisticUnit, is_asset
from mappings.inbound.epcis.events import Reported
from mappings.inbound.epcis.items import Named, named
from mappings.inbound.payload import canonical_unit, present, wrong

LINE_BOUND = 20_000
COUNT_UOM = "EA"


class Lists(NamedTuple):
    """The two lists that hold the objects of an event: their names here and in the event."""

    epcs: str
    epc_path: str
    quantities: str
    quantity_path: str


OBJECTS = Lists("epcs", "epcList", "quantities", "quantityList")
CHILDREN = Lists("child_epcs", "childEPCs", "child_quantities", "childQuantityList")
INPUTS = Lists("input_epcs", "inputEPCList", "input_quantities", "inputQuantityList")
OUTPUTS = Lists("output_epcs", "outputEPCList", "output_quantities", "outputQuantityList")
_LISTS = (OBJECTS, CHILDREN, INPUTS, OUTPUTS)


@dataclass(frozen=True)
class Package:
    sscc: str
    place: str


@dataclass(frozen=True)
class Goods:
    """``lines`` of items as canonical events have them, and the packages that stand beside them."""

    lines: Sequence[dict[str, Any]]
    packages: Sequence[Package]


@dataclass
class Scope:
    """One body: what its packing events put into which package, and which of them another event drew on."""

    context: InboundContext
    packed: dict[str, list[Reported]] = field(default_factory=dict)
    drawn: set[str] = field(default_factory=set)
    lines: int = 0
    read: dict[int, Goods] = field(default_factory=dict)

    def inside(self, packing: Reported) -> Goods:
        """What the packing event put into its package, read once however many events name the package."""
        if (known := self.read.get(id(packing))) is None:
            known = self.read[id(packing)] = goods_of(packing, CHILDREN, self)
        else:
            self.count(len(known.lines) + len(known.packages), packing.raw.place)
        return known

    def count(self, lines: int, place: str) -> None:
        self.lines += lines
        if self.lines > LINE_BOUND:
            told = f"the events up to {place or 'here'} name more than {LINE_BOUND:,} items and packages"
            raise MappingError("too_many_lines", f"{told}; have them sent in several messages.", place or None)


def names_only_assets(event: Reported, context: InboundContext) -> bool:
    """Whether the event is of assets, documents or services alone: stock is kept of none of them."""
    if any(event.fields[lists.quantities] for lists in _LISTS):
        return False
    named_here = [uri for lists in _LISTS for uri in event.fields[lists.epcs]]
    return bool(named_here) and all(
        is_asset(uri) and named(uri, event.raw.place, context) is None for uri in named_here
    )


def lists_of(event: Reported) -> Lists:
    return CHILDREN if event.type in ("AggregationEvent", "AssociationEvent") else OBJECTS


def goods_of(event: Reported, lists: Lists, scope: Scope, *, counted: bool = False, measured: bool = True) -> Goods:
    """What these lists of the event name. ``counted``: a quantity of zero says something. ``measured``: a class without
    a quantity is refused, since nobody knows how much of it there is."""
    lines: list[dict[str, Any]] = []
    packages: list[Package] = []
    groups: dict[tuple[str, str | None], list[str]] = {}
    for place, uri in _each_once(event, lists, scope.context):
        found = named(uri, place, scope.context)
        if found is None:
            scope.context.deviations.pass_over(f"{uri[:120]!r} is an asset, and no goods", place)
        elif isinstance(found, LogisticUnit):
            packages.append(Package(found.sscc, place))
        else:
            groups.setdefault((found.item, found.lot), []).append(_serial(found, place))
    for (item, lot), serials in groups.items():
        lines += _instances(item, lot, serials, scope.context)
    for index, element in enumerate(event.fields[lists.quantities]):
        place = event.at(f"{lists.quantity_path}[{index}]")
        lines += _class_line(element, place, scope.context, counted=counted, measured=measured)
    scope.count(len(lines) + len(packages), event.raw.place)
    return Goods(lines, packages)


def whole_goods(
    event: Reported, lists: Lists, scope: Scope, *, counted: bool = False, measured: bool = True
) -> list[dict[str, Any]]:
    """The items of the event, with those in its packages. Raises MappingError for a package of unknown content, and
    where the event names nothing at all."""
    goods = goods_of(event, lists, scope, counted=counted, measured=measured)
    lines = list(goods.lines)
    for package, inside in unpacked(goods.packages, scope):
        if inside is None:
            told = (
                f"{package.place} is package {package.sscc}, and no packing event of this document says what is in it"
            )
            raise wrong("package_unknown", told, package.place)
        lines += inside
    if not lines:
        place = event.at(lists.epc_path)
        raise wrong("goods_missing", f"the event names no goods in {lists.epc_path} and {lists.quantity_path}", place)
    return lines


def unpacked(packages: Sequence[Package], scope: Scope) -> Iterator[tuple[Package, list[dict[str, Any]] | None]]:
    """Each package, and each within it, with the lines directly inside; None where nothing is known of its inside."""
    waiting, seen = list(reversed(packages)), set[str]()
    while waiting:
        package = waiting.pop()
        if package.sscc in seen:
            continue
        seen.add(package.sscc)
        packings = scope.packed.get(package.sscc)
        if packings is None:
            yield package, None
            continue
        scope.drawn.add(package.sscc)
        inside = [scope.inside(packing) for packing in packings]
        waiting += [inner for goods in reversed(inside) for inner in reversed(goods.packages)]
        yield package, [line for goods in inside for line in goods.lines]


def _each_once(event: Reported, lists: Lists, context: InboundContext) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for index, uri in enumerate(event.fields[lists.epcs]):
        place = event.at(f"{lists.epc_path}[{index}]")
        if uri in seen:
            context.deviations.allow("epc_repeated", f"{uri[:120]!r} stands in the list before", place)
            continue
        seen.add(uri)
        yield place, uri


def _serial(found: Named, place: str) -> str:
    if found.serial is None:
        told = f"{place} names a class of items and not one of them; classes are sent in a quantity list"
        raise wrong("instance_expected", told, place)
    return found.serial


def _instances(item: str, lot: str | None, serials: list[str], context: InboundContext) -> Iterator[dict[str, Any]]:
    for start in range(0, len(serials), LIST_BOUND):
        part = serials[start : start + LIST_BOUND]
        yield present(item=item, lot=lot, serials=part, quantity=_count(str(len(part)), context))


def _class_line(
    element: Mapping[str, Any], place: str, context: InboundContext, *, counted: bool, measured: bool
) -> Iterator[dict[str, Any]]:
    found = named(element["epc_class"], f"{place}.epcClass", context)
    if not isinstance(found, Named) or found.serial is not None:
        told = f"{place}.epcClass names one object and not a class; objects are sent in an EPC list"
        raise wrong("class_expected", told, f"{place}.epcClass")
    line = present(item=found.item, lot=found.lot)
    if "quantity" in element:
        quantity = _quantity(element, f"{place}.quantity", context)
        if counted or quantity["value"] != "0":
            yield line | {"quantity": quantity}
    elif measured:
        told = f"{place} has no quantity, so nobody knows how much of the class there is"
        raise wrong("quantity_missing", told, f"{place}.quantity")
    else:
        yield line


def _quantity(element: Mapping[str, Any], place: str, context: InboundContext) -> dict[str, str]:
    text, uom = element["quantity"], element.get("uom")
    if uom is not None:
        return {"value": text, "uom": canonical_unit(uom, context, place.removesuffix("quantity") + "uom")}
    if "." in text:
        raise wrong("unit_missing", f"{place} is {text} without a uom, and only whole objects are counted", place)
    return _count(text, context)


def _count(text: str, context: InboundContext) -> dict[str, str]:
    return {"value": text, "uom": context.options.get("count_uom", COUNT_UOM)}

"""The table of formats in the docs: made from the registry, from real files and from what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.bench.format_samples import Read
from app.bench.mapping_speed import Speed
from mappings.registry import INBOUND, OUTBOUND

BEGIN, END = "<!-- made by lineside bench mappings -->", "<!-- end -->"


@dataclass(frozen=True)
class Format:
    """``inbound`` and ``outbound`` are mapping families; ``measured`` the name of its figure, where there is one."""

    name: str
    version: str
    inbound: str | None
    outbound: tuple[str, ...]
    measured: tuple[str, ...]


FORMATS = (
    Format("JSON", "RFC 8259", "mes_json", ("wms", "planning", "mes", "tryton"), ("JSON",)),
    Format("CSV, fixed width", "by the topology", "legacy_files", ("legacy_erp",), ("CSV", "fixed width")),
    Format("AdventureWorks", "OLTP tables in CSV", "adventureworks", (), ("AdventureWorks",)),
    Format("B2MML", "V0401, V0600, V0700", "mes_b2mml", ("b2mml",), ("B2MML",)),
    Format("SAP IDoc", "port version 3, flat and XML", "sap_idoc", ("sap_idoc",), ("IDoc flat", "IDoc XML")),
    Format("SAP OData", "V2", None, ("sap_odata",), ()),
    Format("EDIFACT", "D.96A to D.01B", "edifact", ("edifact",), ("EDIFACT",)),
    Format("X12", "004010", "x12", ("x12",), ("X12",)),
    Format("EPCIS 2.0", "JSON, CBV 2.0", "epcis", ("epcis",), ("EPCIS",)),
    Format("CloudEvents", "1.0: structured, binary, batch", "canonical", (), ()),
)
HEAD = (
    "format",
    "version",
    "in",
    "out",
    "real files read",
    "refused",
    "messages or rows a second",
    "x the bare parser",
)


def formats() -> list[Format]:
    """Those above, and a row for each family of the registry that is none of theirs."""
    told = {one.inbound for one in FORMATS} | {family for one in FORMATS for family in one.outbound}
    inbound = sorted({family for family, _ in INBOUND} - told)
    outbound = sorted({family for family, _ in OUTBOUND} - told)
    return [
        *FORMATS,
        *(Format(family, "", family, (), ()) for family in inbound),
        *(Format(family, "", None, (family,), ()) for family in outbound),
    ]


def table(reads: Sequence[Read], speeds: Iterable[Speed]) -> str:
    by_name = {speed.name: speed for speed in speeds}
    rows = [HEAD, ("---",) * 4 + ("---:",) * 4, *(_row(one, reads, by_name) for one in formats())]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def made(reads: Sequence[Read], speeds: Iterable[Speed]) -> str:
    """The table, and below it each real file that is refused, with its reason."""
    if not reads:
        return table(reads, speeds)
    refused = [f"- {one.sent.format}, `{one.sent.path.name}`: {one.refused}" for one in reads if one.refused]
    return "\n".join([table(reads, speeds), "", "Refused:", "", *refused])


def _row(one: Format, reads: Sequence[Read], speeds: Mapping[str, Speed]) -> tuple[str, ...]:
    kinds = sorted(kind for family, kind in INBOUND if family == one.inbound)
    events = sorted({kind for family, kind in OUTBOUND if family in one.outbound})
    of_it = [read for read in reads if read.sent.format == one.name]
    measured = [speeds[name] for name in one.measured if name in speeds]
    return (
        one.name,
        one.version,
        ", ".join(f"`{kind}`" for kind in kinds) or ("every canonical type" if one.inbound else ""),
        ", ".join(f"`{kind}`" for kind in events),
        str(sum(read.refused is None for read in of_it)) if of_it else "",
        str(sum(read.refused is not None for read in of_it)) if of_it else "",
        ", ".join(f"{speed.name} {speed.figure:,.0f} ({speed.bytes_each:,} bytes)" for speed in measured),
        ", ".join(map(_ratios, measured)),
    )


def _ratios(speed: Speed) -> str:
    told = f"{speed.ratio:.1f} ({speed.yardstick})"
    return told if speed.beside_ratio is None else f"{told}, {speed.beside_ratio:.1f} ({speed.beside_name})"


def replaced(page: str, made: str) -> str:
    """The page with what stands between the two marks made anew. Raises ValueError where it lacks them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks the lines {BEGIN} and {END}, between which the table stands")
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"

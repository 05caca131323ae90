"""Flat IDocs as a port of version 3 writes them, for tests: trimmed, or padded to their full length."""

from __future__ import annotations

from collections.abc import Sequence

from mappings.formats.idoc_records import (
    CONTROL_COLUMNS,
    HEAD_COLUMNS,
    Column,
    columns,
    segment_columns,
    segment_type,
)


class FlatIdoc:
    """One IDoc; ``add`` appends a segment under the name of its release, ``add_data`` one by its bare data."""

    def __init__(self, message: str, number: str = "0000000000004711", *, padded: bool = False, **control: str) -> None:
        self._number, self._padded = number, padded
        given = {"TABNAM": "EDI_DC40", "MANDT": "100", "DOCNUM": number, "IDOCTYP": f"{message}01", "MESTYP": message}
        given |= {"CREDAT": "20260303", "CRETIM": "081530"}
        self._lines = [_laid_out(columns(CONTROL_COLUMNS), given | control)]

    def add(self, segment: str, **fields: str) -> FlatIdoc:
        return self.add_data(segment, _laid_out(segment_columns(segment_type(segment)), fields))

    def add_data(self, segment: str, data: str) -> FlatIdoc:
        number = f"{len(self._lines):06d}"
        head = {"SEGNAM": segment, "MANDT": "100", "DOCNUM": self._number, "SEGNUM": number, "HLEVEL": "02"}
        self._lines.append((_laid_out(columns(HEAD_COLUMNS), head) + data).ljust(1063))
        return self

    def text(self, line_end: str = "\n") -> str:
        lines = self._lines if self._padded else [line.rstrip() for line in self._lines]
        return "".join(line + line_end for line in lines)

    def body(self, line_end: str = "\n") -> bytes:
        return self.text(line_end).encode()


def _laid_out(among: Sequence[Column], values: dict[str, str]) -> str:
    unknown = values.keys() - {column.name for column in among}
    assert not unknown, f"no columns for {unknown}"
    return "".join(values.get(column.name, "").ljust(column.end - column.start) for column in among)


def movement(number: str = "0000000000004711", *, padded: bool = False, **item: str) -> FlatIdoc:
    """A material document with one item: an issue of two wheels to an order, but for what is given."""
    idoc = FlatIdoc("MBGMCR", number, padded=padded).add("E2MBGMCR")
    idoc.add("E2BP2017_GM_HEAD_01", PSTNG_DATE="20260303", DOC_DATE="20260303")
    given = {"MATERIAL": "WHEEL-10", "PLANT": "P100", "STGE_LOC": "0001", "MOVE_TYPE": "261", "ENTRY_QNT": "2.000"}
    given |= {"ENTRY_UOM": "ST", "ORDERID": "000001000451"} | item
    return idoc.add("E2BP2017_GM_ITEM_CREATE", **given)

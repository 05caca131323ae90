"""The columns of IDoc records: control record, head of a data record, and the fields within a segment's data.

The control record EDI_DC40 has 524 characters; a data record EDI_DD40 has a head of 63 and up to 1,000 of segment data
(SAP Help Portal, IDoc Interface/ALE, "Record structures", and transaction WE60). Fields of segments are from public
lists, of which the comments below name some; SAP only ever appends fields to a released segment, so what is given here
holds for all its releases, and what stands behind it is passed over. No such list is SAP's word: compare them with WE60
of the system that sends, and where its segments differ, give its columns in the source's option ``segments``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import itemgetter

SEGMENT_DATA_MOST = 1_000


@dataclass(frozen=True)
class Column:
    """From ``start`` up to ``end``, in characters from 0."""

    name: str
    start: int
    end: int


class Columns(tuple[Column, ...]):
    """Columns of one record. ``take`` gives a record's pieces in their order, all at once: a record has up to fifty
    columns, and to cut them one at a time is most of what reading it costs."""

    names: tuple[str, ...]
    take: Callable[[str], Iterable[str]]

    def __new__(cls, among: Iterable[Column] = ()) -> Columns:
        self = super().__new__(cls, among)
        self.names = tuple(column.name for column in self)
        # A getter of one piece alone would give the piece itself; the empty one behind has no name, and is passed over.
        slices = [slice(column.start, column.end) for column in self]
        self.take = itemgetter(*slices, slice(0, 0), slice(0, 0))
        return self


CONTROL_COLUMNS = (
    "TABNAM 10 MANDT 3 DOCNUM 16 DOCREL 4 STATUS 2 DIRECT 1 OUTMOD 1 EXPRSS 1 TEST 1 IDOCTYP 30 CIMTYP 30 MESTYP 30 "
    "MESCOD 3 MESFCT 3 STD 1 STDVRS 6 STDMES 6 SNDPOR 10 SNDPRT 2 SNDPFC 2 SNDPRN 10 SNDSAD 21 SNDLAD 70 "
    "RCVPOR 10 RCVPRT 2 RCVPFC 2 RCVPRN 10 RCVSAD 21 RCVLAD 70 CREDAT 8 CRETIM 6 REFINT 14 REFGRP 14 REFMES 14 "
    "ARCKEY 70 SERIAL 20"
)
HEAD_COLUMNS = "SEGNAM 30 MANDT 3 DOCNUM 16 SEGNUM 6 PSGNUM 6 HLEVEL 2"

# The segments that mappings read, up to the last field that they need. One without columns is read from XML, or by the
# source's own columns: no public list says in which order its fields stand.
_SEGMENTS: Mapping[str, str] = {
    # Goods movements. Structures of BAPI_GOODSMVT_CREATE (consolut.com/saphelp-en, read on 30 November 2026), whose
    # quantities of 13 digits take 15 characters in a segment.
    "E1MBGMCR": "TESTRUN 1",
    "E1BP2017_GM_HEAD_01": (
        "PSTNG_DATE 8 DOC_DATE 8 REF_DOC_NO 16 BILL_OF_LADING 16 GR_GI_SLIP_NO 10 PR_UNAME 12 HEADER_TXT 25"
    ),
    "E1BP2017_GM_CODE": "GM_CODE 2",
    "E1BP2017_GM_ITEM_CREATE": (
        "MATERIAL 18 PLANT 4 STGE_LOC 4 BATCH 10 MOVE_TYPE 3 STCK_TYPE 1 SPEC_STOCK 1 VENDOR 10 CUSTOMER 10 "
        "SALES_ORD 10 S_ORD_ITEM 6 SCHED_LINE 4 VAL_TYPE 10 ENTRY_QNT 15 ENTRY_UOM 3 ENTRY_UOM_ISO 3 PO_PR_QNT 15 "
        "ORDERPR_UN 3 ORDERPR_UN_ISO 3 PO_NUMBER 10 PO_ITEM 5 SHIPPING 2 COMP_SHIP 2 NO_MORE_GR 1 ITEM_TEXT 50 "
        "GR_RCPT 12 UNLOAD_PT 25 COSTCENTER 10 ORDERID 12 ORDER_ITNO 4 CALC_MOTIVE 2 ASSET_NO 12 SUB_NUMBER 4 "
        "RESERV_NO 10 RES_ITEM 4 RES_TYPE 1 WITHDRAWN 1 MOVE_MAT 18 MOVE_PLANT 4 MOVE_STLOC 4 MOVE_BATCH 10 "
        "MOVE_VAL_TYPE 10 MVT_IND 1 MOVE_REAS 4"
    ),
    # Deliveries, DELVRY03. EXIDV is the first field of E1EDL37.
    "E1EDL20": (
        "VBELN 10 VSTEL 4 VKORG 4 LSTEL 2 VKBUR 4 LGNUM 3 ABLAD 25 INCO1 3 INCO2 28 ROUTE 6 VSBED 2 BTGEW 17 NTGEW 15 "
        "GEWEI 3 VOLUM 15 VOLEH 3 ANZPK 5 BOLNR 35 TRATY 4 TRAID 20 XABLN 10 LIFEX 35 PARID 35 PODAT 8 POTIM 6"
    ),
    "E1ADRM1": "PARTNER_Q 3 ADDRESS_T 1 PARTNER_ID 17 JURISDIC 17 LANGUAGE 2 FORMOFADDR 15 NAME1 40",
    "E1EDT13": (
        "QUALF 3 VSTZW 4 VSTZW_BEZ 20 NTANF 8 NTANZ 6 NTEND 8 NTENZ 6 TZONE_BEG 6 ISDD 8 ISDZ 6 IEDD 8 IEDZ 6 "
        "TZONE_END 6"
    ),
    "E1EDL24": (
        "POSNR 6 MATNR 18 MATWA 18 ARKTX 40 ORKTX 40 SUGRD 4 SUDRU 1 MATKL 9 WERKS 4 LGORT 4 CHARG 10 KDMAT 22 "
        "LFIMG 15 VRKME 3 LGMNG 15 MEINS 3"
    ),
    "E1EDL41": "QUALI 3 BSTNR 35 BSTDT 8 BSARK 4 IHREZ 12 POSEX 6",
    "E1EDL43": "QUALF 1 BELNR 35 POSNR 6 DATUM 8",
    "E1EDL37": "EXIDV 20",
    "E1EDL44": "VELIN 1 VBELN 10 POSNR 6 EXIDV 20 VEMNG 17 VEMEH 3 MATNR 18 KDMAT 35 CHARG 10",
    # Purchase orders, ORDERS05 (leanx.eu/en/sap/table, read on 30 November 2026).
    "E1EDK01": ("ACTION 3 KZABS 1 CURCY 3 HWAER 3 WKURS 12 ZTERM 17 KUNDEUINR 20 EIGENUINR 20 BSART 4 BELNR 35"),
    "E1EDK02": "QUALF 3 BELNR 35 POSNR 6 DATUM 8 UZEIT 6",
    "E1EDK03": "IDDAT 3 DATUM 8 UZEIT 6",
    "E1EDKA1": "PARVW 3 PARTN 17 LIFNR 17 NAME1 35",
    "E1EDP01": "POSEX 6 ACTION 3 PSTYP 1 KZABS 1 MENGE 15 MENEE 3",
    "E1EDP20": "WMENG 15 AMENG 15 EDATU 8 EZEIT 6",
    "E1EDP19": "QUALF 3 IDTNR 35 KTEXT 70",
    # Materials, MATMAS03 and later (beyondse16.com, "MATMAS03", read on 30 November 2026).
    "E1MARAM": (
        "MSGFN 3 MATNR 18 ERSDA 8 ERNAM 12 LAEDA 8 AENAM 12 PSTAT 15 LVORM 1 MTART 4 MBRSH 1 MATKL 9 BISMT 18 MEINS 3"
    ),
    "E1MAKTM": "MSGFN 3 SPRAS 1 MAKTX 40 SPRAS_ISO 2",
    "E1MARMM": "MSGFN 3 MEINH 3 UMREZ 5 UMREN 5",
    # Production orders. help.sap.com/saphelp_46c, "LOIPRO01", read on 30 November 2026: fields stand in this order.
    "E1AFKOL": (
        "AUFNR 12 APRIO 4 APROZ 7 AUART 4 AUFLD 8 AUTYP 2 BAUMNG 14 BMEINS 3 BMENGE 14 CY_SEQNR 14 DISPO 3 FEVOR 3 "
        "FHORI 3 FLG_MLTPS 1 FREIZ 3 FTRMI 8 FTRMS 8 GAMNG 14 GASMG 14 GETRI 8 GEUZI 6 GLTRI 8 GLTRP 8 GLTRS 8 "
        "GLUZP 6 GLUZS 6 GMEIN 3 GSTRI 8 GSTRP 8 GSTRS 8"
    ),
    "E1AFPOL": (
        "POSNR 4 AMEIN 3 BMENG 14 DFREI 1 KDAUF 10 KDEIN 4 KDPOS 6 LGORT 4 MATNR 18 MEINS 3 PLNUM 10 PSAMG 14 PSMNG 14"
    ),
    "E1JSTKL": "STAT 5",
    "E1AFFLL": "",
    "E1AFVOL": "",
    "E1RESBL": "",
    # Bills of material. BOMMAT.
    "E1STZUM": "",
    "E1MASTM": "",
    "E1STKOM": "",
    "E1STPOM": "",
}
_VERSION = re.compile(r"[0-9]{3}", re.ASCII)


def knows(segment: str) -> bool:
    return segment in _SEGMENTS


@lru_cache(maxsize=1_000)
def segment_type(name: str) -> str:
    """The type of a segment by the name it has in a file: ``E2EDL24006`` is release 006 of ``E1EDL24``. In XML the
    ``/`` of a namespace is written ``_-``."""
    name = name.replace("_-", "/")
    if name[:2] in ("E2", "E3", "Z2", "Z3"):
        name = f"{name[0]}1{name[2:]}"
    if name not in _SEGMENTS and _VERSION.fullmatch(name[-3:]) and name[:-3] in _SEGMENTS:
        return name[:-3]
    return name


def segment_columns(segment: str) -> Columns:
    """The known columns of a segment's data; empty where there are none."""
    return columns(_SEGMENTS.get(segment, ""))


@cache
def columns(text: str) -> Columns:
    """``POSNR 6 MATNR 18`` as columns that follow each other."""
    words = text.split()
    return placed(tuple(zip(words[::2], map(int, words[1::2]), strict=True)))


@lru_cache(maxsize=1_000)
def placed(widths: tuple[tuple[str, int], ...]) -> Columns:
    found: list[Column] = []
    for name, width in widths:
        start = found[-1].end if found else 0
        found.append(Column(name, start, start + width))
    return Columns(found)


def cut(data: str, among: Columns) -> dict[str, str]:
    """The fields that are not blank. A record may end anywhere: blanks at its end are often dropped."""
    return {name: value for name, value in zip(among.names, map(str.strip, among.take(data)), strict=False) if value}

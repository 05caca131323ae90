"""What plants' systems call things, in the languages that their samples come in; small letters and digits only."""

from __future__ import annotations

from collections.abc import Mapping

# Role -> names; a field whose name is one of them is that, one whose name has one of them in it may be.
ROLES: Mapping[str, tuple[str, ...]] = {
    "order": (
        *("order", "orderno", "orderid", "ordernr", "ordernumber", "productionorder", "workorder", "workorderno", "wo"),
        *("auftrag", "auftragsnummer", "auftragsnr", "fertigungsauftrag", "aufnr", "job", "jobno", "ordrefabrication"),
    ),
    "segment": ("operation", "operationno", "op", "opno", "vorgang", "arbeitsgang", "vornr", "segment", "step"),
    "item": (
        *("item", "itemno", "itemid", "itemcode", "material", "materialno", "materialnumber", "matnr", "sku"),
        *("product", "productno", "productcode", "part", "partno", "partnumber", "article", "articleno", "artikel"),
        *("artikelnummer", "artikelnr", "teil", "teilenummer", "teilenr", "materialnummer", "reference"),
    ),
    "quantity": (
        *("quantity", "qty", "goodqty", "goodquantity", "goodpieces", "yield", "menge", "gutmenge", "anzahl"),
        *("stueck", "stueckzahl", "pieces", "count", "amount", "quantite", "cantidad"),
    ),
    "unit": ("unit", "uom", "unitofmeasure", "einheit", "mengeneinheit", "me", "meins", "unite", "unidad"),
    "lot": (
        "lot",
        "lotno",
        "lotid",
        "lotnumber",
        "batch",
        "batchno",
        "batchid",
        "charge",
        "chargennummer",
        "chargennr",
    ),
    "reason": ("reason", "reasoncode", "scrapreason", "cause", "defect", "grund", "ausschussgrund", "fehlercode"),
    "from_storage": (
        *("from", "fromstorage", "fromlocation", "fromwarehouse", "source", "sourcelocation", "von", "vonlager"),
        *("vonlagerort", "quelle"),
    ),
    "to_storage": (
        *("to", "tostorage", "tolocation", "towarehouse", "destination", "target", "nach", "nachlager", "nachlagerort"),
        "ziel",
    ),
    "time": (
        *("timestamp", "ts", "datetime", "eventtime", "time", "postedat", "reportedat", "finishedat", "completedat"),
        *("endtime", "end", "created", "createdat", "zeitstempel", "zeitpunkt", "date", "day", "datum"),
        *("buchungsdatum", "budat", "postedon", "rueckmeldedatum", "fertigdatum"),
    ),
    "clock": ("time", "clock", "postedtime", "uhrzeit", "zeit", "buchungszeit", "rueckmeldezeit"),
    "id": (
        *("id", "recordno", "recordid", "recno", "record", "messageid", "transactionid", "reportid", "uuid", "guid"),
        *("satznr", "satznummer", "lfdnr", "belegnr", "belegnummer", "rueckmeldenr", "rueckmeldenummer"),
        *("meldung", "meldungsnr", "rueckmeldung"),
    ),
}

# Source's unit -> canonical code (UN/ECE Recommendation 20 codes and what plants write for them).
UNITS: Mapping[str, str] = {
    **dict.fromkeys(("EA", "PC", "PCS", "PCE", "ST", "STK", "STCK", "C62", "H87", "EACH", "PIECE", "UN", "U"), "EA"),
    **dict.fromkeys(("KG", "KGM", "KILO"), "KG"),
    **dict.fromkeys(("G", "GR", "GRM"), "G"),
    **dict.fromkeys(("M", "MTR"), "M"),
    **dict.fromkeys(("L", "LT", "LTR"), "L"),
}

"""What the topology may say to a mapping: the options that each family reads, of a plant, a source or a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mappings.formats.cbv import STEPS


@dataclass(frozen=True)
class Word:
    """Text; one of ``known`` where those are given."""

    known: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """A list of texts; each one of ``known`` where those are given."""

    known: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flag:
    """True or false."""


@dataclass(frozen=True)
class Table:
    """A block under keys of the writer's own: ``{STK: EA}``. ``inner``: what each stands for, text unless told."""

    inner: Shape = field(default_factory=Word)


@dataclass(frozen=True)
class Layouts:
    """Columns in their order under keys of the writer's own: ``{Z1LOT: [[CHARG, 10], [MENGE, 15]]}``."""


@dataclass(frozen=True)
class Keys:
    """A block of these keys."""

    shapes: Mapping[str, Shape]


@dataclass(frozen=True)
class ByPlant:
    """A block with a plant's code as each key. ``or_for_all``: or one value for all of them."""

    inner: Shape
    or_for_all: bool = False


Shape = Word | Words | Flag | Table | Layouts | Keys | ByPlant

# Crosswalks by name: the value tables that mappings ask, where the topology lists them for a source or target.
UNITS, REASONS, STORAGES, MOVEMENT_TYPES = "units", "reasons", "storages", "movement_types"

TEXT = Word()
LOCATION = ("site", "area", "work_center", "work_unit", "storage", "bin")

PLANT_OPTIONS = Keys({"storage": TEXT, "site": TEXT, "parties": Words(), "receiving": Words()})

# AdventureWorks' kinds of transactions: of purchase orders, sales orders and work orders.
TRANSACTIONS = ("P", "S", "W")

_PARTNER = Keys({"item_codes": Words(), "unit_if_missing": TEXT, "ships_to_us": Flag()})

# Mapping family of a source -> what its `options` may say. A family that is not named here reads none.
INBOUND_OPTIONS: Mapping[str, Keys] = {
    "mes_b2mml": Keys(
        {
            "ignored_uses": Words(),
            "ignored_states": Words(),
            "unit_property": TEXT,
            "state_property": TEXT,
            "lots": Word(("status", "stock", "both")),
            "lot_statuses": Table(Word(("unrestricted", "quality", "blocked"))),
        }
    ),
    "sap_idoc": Keys(
        {"plants": Table(), "segments": Layouts(), "layouts": Words(), "item_qualifiers": Words(), "language": TEXT}
    ),
    "epcis": Keys(
        {
            "items": Table(),
            "places": Table(Keys(dict.fromkeys(LOCATION, TEXT))),
            "steps": Table(Word(tuple(sorted(STEPS.words)))),
            "ignored_steps": Words(),
            "order_types": Words(),
            "needs_order": Flag(),
            "count_uom": TEXT,
        }
    ),
    "edifact": _PARTNER,
    "x12": _PARTNER,
    "adventureworks": Keys({"transactions": Words(TRANSACTIONS), "needs_released_order": Flag()}),
}

# What is read from a target names its plants by `locations`, whatever the target's mapping.
_LOCATIONS = {"locations": ByPlant(TEXT)}
_SAP: Mapping[str, Shape] = {**_LOCATIONS, "units": Table()}
_CONTROL = Keys(dict.fromkeys(("client", "sender_port", "sender", "receiver_port", "receiver"), TEXT))
_MOVEMENT_OR_CONFIRMATION = Word(("confirmation", "movement"))
_STORAGES = Keys({"stock": TEXT, "work_in_process": TEXT, "scrap": TEXT})

_TO_A_PARTNER: Mapping[str, Shape] = {
    "sender": TEXT,
    "sender_qualifier": TEXT,
    "receiver": TEXT,
    "receiver_qualifier": TEXT,
    "usage": Word(("production", "test")),
    "item_code": TEXT,
    "units": Table(),
}

# Mapping family of a target -> what its `mapping_options` may say.
OUTBOUND_OPTIONS: Mapping[str, Keys] = {
    "sap_idoc": Keys({**_SAP, "form": Word(("flat", "xml")), "control": _CONTROL, "segment_names": Table()}),
    "sap_odata": Keys({**_SAP, "completions": _MOVEMENT_OR_CONFIRMATION, "scrap": _MOVEMENT_OR_CONFIRMATION}),
    "b2mml": Keys({**_LOCATIONS, "version": Word(("V0401", "V0600", "V0700"))}),
    "tryton": Keys(
        {**_LOCATIONS, "storages": ByPlant(_STORAGES), "consume": ByPlant(Word(("bom", "none")), or_for_all=True)}
    ),
    "epcis": Keys(
        {
            **_LOCATIONS,
            "items": Table(),
            "places": Table(),
            "units": Table(),
            "count_uom": TEXT,
            "gln": TEXT,
            "event_id": TEXT,
        }
    ),
    "edifact": Keys({**_LOCATIONS, **_TO_A_PARTNER, "association": TEXT}),
    "x12": Keys({**_LOCATIONS, **_TO_A_PARTNER}),
}


# Mapping family -> the crosswalks that it asks. Every inbound mapping asks the one of units.
INBOUND_CROSSWALKS: Mapping[str, tuple[str, ...]] = {
    "mes_json": (UNITS, REASONS, STORAGES),
    "mes_b2mml": (UNITS, REASONS, STORAGES),
    "legacy_files": (UNITS, REASONS, STORAGES),
    "adventureworks": (UNITS, REASONS, STORAGES),
    "sap_idoc": (UNITS, REASONS, STORAGES, MOVEMENT_TYPES),
    "epcis": (UNITS, REASONS),
    "edifact": (UNITS, STORAGES),
    "x12": (UNITS, STORAGES),
}
OUTBOUND_CROSSWALKS: Mapping[str, tuple[str, ...]] = {
    "b2mml": (REASONS, STORAGES),
    "planning": (REASONS,),
    "wms": (STORAGES,),
    "legacy_erp": (STORAGES, MOVEMENT_TYPES),
    "sap_idoc": (UNITS, REASONS, STORAGES),
    "sap_odata": (UNITS, REASONS, STORAGES),
    "edifact": (UNITS,),
    "x12": (UNITS,),
}


def source_crosswalks(family: str) -> tuple[str, ...]:
    return INBOUND_CROSSWALKS.get(family, (UNITS,))


def target_crosswalks(family: str) -> tuple[str, ...]:
    return OUTBOUND_CROSSWALKS.get(family, ())


def source_options(family: str) -> Keys:
    return INBOUND_OPTIONS.get(family, Keys({}))


def target_options(family: str) -> Keys:
    return OUTBOUND_OPTIONS.get(family, Keys(_LOCATIONS))

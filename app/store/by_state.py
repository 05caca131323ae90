"""Walk the messages of one plant and state by id, by the index made for it, however many others there are."""

from __future__ import annotations

from sqlalchemy import BindParameter, ColumnElement, literal, tuple_

from app.store.base import table_of
from app.store.messages_tables import Message

HIGHEST_ID = 2**63 - 1

_ROW = table_of(Message).c
STATE_ORDER = (_ROW.plant, _ROW.state, _ROW.id)
"""To sort by. Together with ``within_state`` it is the order of the ids."""


def within_state(plant: str | BindParameter[str], state: str) -> ColumnElement[bool]:
    """The messages of this plant and state, as one range of ``ix_messages_plant_state``.

    Written as two equalities, a search for the first few by id may be done by walking the primary key: PostgreSQL
    hopes to find one soon, and then reads millions that were posted long ago.
    """
    of_plant = literal(plant) if isinstance(plant, str) else plant
    first = tuple_(of_plant, literal(state), literal(0))
    last = tuple_(of_plant, literal(state), literal(HIGHEST_ID))
    place = tuple_(*STATE_ORDER)
    return (place > first) & (place < last)

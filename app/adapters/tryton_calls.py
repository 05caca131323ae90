"""The calls that a posting makes: look its key up, make a draft, press a button.

With a JSON-RPC session the threads that post at the same time share these calls; without one each makes its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.adapters import tryton_documents as documents
from app.adapters.budget import current_budget
from app.adapters.gathering import Gathering
from app.adapters.tryton_models import fields
from app.adapters.tryton_rest import TrytonRest
from app.adapters.tryton_rpc import NotTogether, TrytonRpc
from app.errors import LinesideError

TOGETHER = 25
_STRAYS = 20
_LOOK_UP = "look up"
_CREATE = "create"
# How far a posting has come when it makes the call; what is not named lies between the first and the last.
_RANKS = {_LOOK_UP: 0, _CREATE: 1, "wait": 2, "receive": 2, "assign_try": 3, "run": 4, "pack": 4, "ship": 5, "do": 6}

Record = dict[str, Any]
Call = tuple[str, str]


class TrytonCalls:
    """``context`` is asked for at each call."""

    def __init__(self, rest: TrytonRest, rpc: TrytonRpc, context: Callable[[], Mapping[str, Any]]) -> None:
        self._rest = rest
        self._rpc = rpc
        self._context = context
        self._gathered: Gathering[Call, Record] = Gathering(self._send, lambda call: _RANKS[call[1]], TOGETHER)

    def held(self, model: str, posting_key: str) -> list[Record]:
        """Every document of this key, the oldest first."""
        found: list[Record] = self._made((model, _LOOK_UP), posting_key)["found"]
        return found

    def create(self, model: str, values: Mapping[str, Any]) -> None:
        self._made((model, _CREATE), values)

    def press(self, model: str, record_id: int, button: str) -> Record:
        """Press the record's button; the answer is the record as it stands afterwards."""
        return self._made((model, button), record_id)

    def _made(self, call: Call, item: Any) -> Record:
        if not self._rpc.is_on:
            return self._alone(call, item)
        made = self._gathered(call, item)
        # Another thread may have made the call, and have noted it for itself.
        current_budget().has_written |= call[1] != _LOOK_UP
        return made

    def _send(self, call: Call, items: Sequence[Any]) -> Sequence[Record | LinesideError]:
        """What fails together is tried alone, so that one bad record costs its neighbours time and nothing else."""
        try:
            return self._together(call, items) if len(items) > 1 else [self._alone(call, items[0])]
        except NotTogether:
            return [self._outcome(call, item) for item in items]
        except LinesideError as error:
            return [error] * len(items)

    def _outcome(self, call: Call, item: Any) -> Record | LinesideError:
        try:
            return self._alone(call, item)
        except LinesideError as error:
            return error

    def _alone(self, call: Call, item: Any) -> Record:
        model, action = call
        if action == _LOOK_UP:
            return self._look_up(model, [item])[0]
        if action == _CREATE:
            return self._rest.create(model, item, ["id"], self._context())
        return self._rest.act(model, item, action, fields(model), self._context())

    def _together(self, call: Call, items: Sequence[Any]) -> list[Record]:
        model, action = call
        if action == _LOOK_UP:
            return self._look_up(model, items)
        made = self._rpc.call(f"model.{model}.{action}", [list(items)], self._context())
        if action == _CREATE:
            return [{"id": record_id} for record_id in made]
        found = self._rest.search(model, [["id", "in", list(items)]], fields(model), limit=len(items))
        states = {record["id"]: record for record in found}
        if len(states) != len(items):
            raise NotTogether
        return [states[record_id] for record_id in items]

    def _look_up(self, model: str, keys: Sequence[str]) -> list[Record]:
        domain = ["OR", *(documents.with_key(key) for key in keys)]
        found = self._rest.search(model, domain, fields(model), limit=_STRAYS * len(keys))
        return [{"found": [one for one in found if one["reference"].partition(" ")[0] == key]} for key in keys]

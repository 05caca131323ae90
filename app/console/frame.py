"""What stands around every page: who is logged in, what waits for a person, where else to look."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_login import current_user

from app.access.roles import Role
from app.business_exceptions.lookup import count_unresolved
from app.business_exceptions.raising import OPEN
from app.inbox.figures import count_states
from app.inbox.states import State
from app.web.services import services


def frame_values() -> dict[str, Any]:
    if not current_user.is_authenticated:
        return {"owner": None, "may_act": False}
    here = services()
    with here.store.reading() as session:
        counts = count_states(session)
        exceptions = count_unresolved(session)
    flower_host = here.settings.flower_host
    return {
        "owner": current_user.owner,
        "may_act": current_user.owner.role.includes(Role.OPERATOR),
        "dead_total": sum(number for (_, state), number in counts.items() if state == State.DEAD),
        "open_exceptions": sum(number for (_, _, state), number in exceptions.items() if state == OPEN),
        "flower_url": f"http://{flower_host}:{here.settings.flower_port}/",
        "here_url": request.full_path.rstrip("?"),
    }

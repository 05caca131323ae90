"""The console's pages: each declares who may see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.access.policy import PUBLIC, Policy, at_least, policy
from app.access.roles import Role

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

blueprint = Blueprint("console", __name__, template_folder="templates")

ANYBODY = PUBLIC
VIEWER = at_least(Role.VIEWER, page=True)
OPERATOR = at_least(Role.OPERATOR, page=True)
ADMIN = at_least(Role.ADMIN, page=True)


def page(method: str, path: str, declared: Policy) -> Callable[[View], View]:
    """Serve ``method path`` by the function below."""

    def register(view: View) -> View:
        blueprint.add_url_rule(path, view_func=policy(declared)(view), methods=[method])
        return view

    return register

"""Declare a route of the API: its path, who may use it and what the OpenAPI document says of it, in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask.typing import ResponseReturnValue
from flask_smorest import Blueprint

from app.access.policy import Policy, policy
from app.api.openapi_parts import security_of

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


def route(
    blueprint: Blueprint, method: str, path: str, declared: Policy, *, summary: str, **said: Any
) -> Callable[[View], View]:
    """Serve ``method path`` by the function below; its docstring is the operation's description."""

    def register(view: View) -> View:
        documented = blueprint.doc(summary=summary, security=security_of(declared), **said)(policy(declared)(view))
        blueprint.route(path, methods=[method])(documented)
        return view

    return register

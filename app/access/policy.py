"""Each route says who may use it; a route that says nothing is not served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask

from app.access.roles import Role

Route = TypeVar("Route", bound=Callable[..., Any])
_ATTRIBUTE = "lineside_policy"


@dataclass(frozen=True)
class Policy:
    """Who may use a route: anybody (``public``), a source by its key, an account by its role, a party of this kind
    (supplier, customer) by its key, or a program on this machine (``loopback``). ``page``: whoever is not logged in is
    sent to the log-in page."""

    public: bool = False
    source_key: bool = False
    role: Role | None = None
    loopback: bool = False
    page: bool = False
    party: str | None = None


PUBLIC = Policy(public=True)
SOURCE_KEY = Policy(source_key=True)


def at_least(role: Role, *, or_source_key: bool = False, or_loopback: bool = False, page: bool = False) -> Policy:
    return Policy(source_key=or_source_key, role=role, loopback=or_loopback, page=page)


def of_party(kind: str) -> Policy:
    """A party of this kind sees its own; whoever may read everything names the party that it looks at."""
    return Policy(role=Role.VIEWER, party=kind)


def policy(declared: Policy) -> Callable[[Route], Route]:
    """Declare who may use the route below."""

    def declare(route: Route) -> Route:
        setattr(route, _ATTRIBUTE, declared)
        return route

    return declare


class UndeclaredRoute(Exception):
    """A route has no policy; the text names it. The application does not start."""


def policy_of(app: Flask, endpoint: str) -> Policy | None:
    """The policy of a route, as it was declared; decorators that keep a function's attributes keep it."""
    declared = getattr(app.view_functions[endpoint], _ATTRIBUTE, None)
    return declared if isinstance(declared, Policy) else None


def refuse_undeclared_routes(app: Flask) -> None:
    """Raise UndeclaredRoute unless every rule of the application has a policy."""
    open_rules = [rule for rule in app.url_map.iter_rules() if policy_of(app, rule.endpoint) is None]
    if open_rules:
        told = ", ".join(f"{rule.rule} ({rule.endpoint})" for rule in open_rules)
        raise UndeclaredRoute(f"declare @policy(...) on: {told}")

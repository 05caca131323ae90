"""Which adapter serves which target: one line each. Adapters load only when a target names them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, cast

from app.adapters.base import Adapter, TargetSettings
from app.errors import TargetPaused
from config.settings import Settings, secret_variable
from config.strict_schema import StrictSchema, problems
from config.topology import Target
from config.topology_options import OptionFault

ADAPTERS: dict[str, str] = {
    "http_json": "app.adapters.http_json:HttpJsonAdapter",
    "tryton": "app.adapters.tryton:TrytonAdapter",
    "file": "app.adapters.file:FileAdapter",
}

ADAPTERS_WITH_URL = frozenset({"http_json", "tryton"})


class SecretMissing(TargetPaused):
    """The target's secret is not set, so its postings wait until an operator sets the variable that this names."""


def build_adapter(target: Target, settings: Settings) -> Adapter:
    """The adapter of this target, ready to call; raises SecretMissing where its credentials are not set."""
    secret = None
    if target.secret is not None:
        secret = (settings.secret(target.secret) or "").strip()
        if not secret:
            raise SecretMissing(
                f"the secret of target {target.code!r} is not set; set {secret_variable(target.secret)}"
            )
    values = TargetSettings(
        code=target.code,
        url=target.url,
        timeout_seconds=target.timeout_seconds,
        options=target.options,
        secret=secret,
        drop_dir=settings.home / "outbox" / target.code,
        calls_in_flight=target.calls_in_flight,
        periods=target.periods,
    )
    return cast(Adapter, _adapter_class(target.adapter)(values))


def missing_secrets(targets: Iterable[Target], settings: Settings) -> list[tuple[str, str]]:
    """(target, variable) of every secret that the topology names and the environment lacks."""
    named = [(target.code, target.secret) for target in targets if target.secret is not None]
    return [(code, secret_variable(name)) for code, name in named if not (settings.secret(name) or "").strip()]


def option_faults(name: str, options: Mapping[str, Any]) -> list[OptionFault]:
    """Everything that the adapter does not take in its options."""
    schema: type[StrictSchema] | None = getattr(_adapter_class(name), "options_schema", None)
    if schema is None:
        return []
    errors = schema().validate(dict(options))
    return [OptionFault(path, problem.reason, problem.mend) for path, problem in problems(errors)]


def period_faults(name: str, periods: Mapping[str, Any]) -> list[OptionFault]:
    """What is missing in these posting periods, or has no place there. An adapter says whether the topology tells it
    how its target says no, or whether it asks the target itself."""
    how: str | None = getattr(_adapter_class(name), "closed_periods", None)
    if how is None:
        return [OptionFault((), f"the adapter {name!r} knows no posting periods", "remove the block")]
    if how == "told" and "closed_when" not in periods:
        mend = "add for example closed_when: {path: code, values: [PERIOD_CLOSED]}"
        return [OptionFault(("closed_when",), "it is missing", mend)]
    foreign = [key for key in ("closed_when", "open_from") if how == "asked" and key in periods]
    return [OptionFault((key,), f"the adapter {name!r} asks the target itself", "remove it") for key in foreign]


def why_not_read(name: str, options: Mapping[str, Any], domain: str) -> str | None:
    """The mend where this adapter with these options is not read for the domain; None where it is."""
    mend: str | None = _adapter_class(name).why_not_read(domain, options)
    return mend


def _adapter_class(name: str) -> Any:
    module, _, attribute = ADAPTERS[name].partition(":")
    return getattr(import_module(module), attribute)

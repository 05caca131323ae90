"""Requests drawn from the OpenAPI document, those that it allows and those that it does not, and what is wrong with the
answers."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.everything import Everything

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = [HypothesisTestMode.COVERAGE, HypothesisTestMode.FUZZING]
REFUSED = ["207", "400", "401", "403", "404", "405", "409", "413", "415", "422"]
"""207 is a batch in which at least one event was refused."""
PROCESSES_SHARE = 6
"""Of the calls of processes one in so many: they read their large bodies in one way, and were half of all requests."""


class DrawnRequests:
    """``faults``: what was found, with the request that shows it, each kind of fault once an operation. One in
    ``share`` is made, and which one ``turn`` says."""

    def __init__(self, everything: Everything, examples: int, share: int, turn: int) -> None:
        self.faults: dict[tuple[str, ...], str] = {}
        self.made = 0
        self._share, self._turn = share, turn
        self._everything = everything
        self._settings = settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        document = json.loads(everything.app.extensions["lineside-openapi"]())
        _leave_out_default(document)
        self._schema = schemathesis.openapi.from_dict(document)
        self._schema.app = _from_this_machine(everything.app)
        self._schema.config.generation.update(with_security_parameters=False)
        self._schema.config.checks.negative_data_rejection.expected_statuses = REFUSED

    def make_all(self) -> None:
        """What deletes comes last, so that the others find what is there."""
        operations = [result.ok() for result in self._schema.get_all_operations()]
        for operation in sorted(operations, key=lambda one: one.method == "delete"):
            config = HypothesisTestConfig(self._schema.config, MODES, settings=self._settings)
            create_test(operation=operation, test_func=self._asking(operation), config=config)()

    def _asking(self, operation: Any) -> Callable[[Any], None]:
        security = operation.definition.raw.get("security") or []
        headers = dict(self._everything.account if any("account" in one for one in security) else self._everything.key)
        known = self._everything.path_parameters(operation.path)
        share = self._share * (PROCESSES_SHARE if operation.path.startswith("/v1/processes/") else 1)

        def ask(case: Any) -> None:
            drawn = zlib.crc32(repr((case.query, case.headers, case.body)).encode())
            if drawn % share != self._turn:
                return
            self.made += 1
            # What is in the query and empty was not given, as browsers send their forms.
            is_form = "" in (case.query or {}).values()
            checks = CHECKS if is_form else [*CHECKS, negative_data_rejection]
            if case.path_parameters and drawn // share % 2:
                case.path_parameters = {name: known[name] for name in case.path_parameters}
                checks = CHECKS
            self._hold(operation.label, case, headers, checks)

        return ask

    def _hold(self, label: str, case: Any, headers: dict[str, str], checks: list[Any]) -> None:
        try:
            response = case.call(headers=headers)
            case.validate_response(response, checks=checks, headers=headers)
        except FailureGroup as group:
            self._note(label, case, group.exceptions)
        except AssertionError as error:  # by tests.answers
            self._note(label, case, [error])

    def _note(self, label: str, case: Any, errors: Iterable[BaseException]) -> None:
        for error in errors:
            told = str(error)
            key = (label, type(error).__name__, getattr(error, "message", told)[:80])
            self.faults.setdefault(key, f"{label}: {type(error).__name__}: {told[:1_500]}\n{_shown(case)}")


def _shown(case: Any) -> str:
    return f"{case.method} {case.path} {case.path_parameters} {case.query} {case.headers} {repr(case.body)[:500]}"


def _leave_out_default(document: dict[str, Any]) -> None:
    """Otherwise every status would be documented. What any operation may answer by it does not happen here."""
    for operations in document["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict):
                operation.get("responses", {}).pop("default", None)


def _from_this_machine(app: Any) -> Callable[..., Any]:
    """A password is taken from this machine only, and the requests name none."""

    def serve(environ: dict[str, Any], start: Any) -> Any:
        return app.wsgi_app({**environ, "REMOTE_ADDR": "127.0.0.1"}, start)

    return serve

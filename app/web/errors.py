"""Turn every error that ends a request into its answer: problem details, or a page for the console."""

from __future__ import annotations

import structlog
from flask import Flask, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from app.access.identity import Forbidden, NotAuthenticated, TooManyAttempts
from app.access.policy import policy_of
from app.inbox.door import DoorBusy
from app.web.problems import Problem
from app.web.services import services

log = structlog.get_logger()

RETRY_AFTER_SECONDS = "2"
_CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}


def register_errors(app: Flask) -> None:
    app.register_error_handler(Problem, _answer)
    app.register_error_handler(NotAuthenticated, _not_authenticated)
    app.register_error_handler(Forbidden, lambda error: _answer(Problem(403, "forbidden", error.reason)))
    app.register_error_handler(TooManyAttempts, _too_many_attempts)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PoolTimeout, _database)
    app.register_error_handler(DoorBusy, _database)
    app.register_error_handler(HTTPException, _http)


def _answer(problem: Problem) -> Response:
    """A page for a person in the console, problem details for everybody else."""
    if not _is_for_a_person():
        return problem.response()
    try:
        body = render_template("problem.html", problem=problem)
    except DBAPIError:  # the frame around the page has figures in it
        return problem.response()
    return Response(body, problem.status, headers=dict(problem.headers), content_type="text/html; charset=utf-8")


def _is_for_a_person() -> bool:
    if request.endpoint is not None:
        declared = policy_of(current_app, request.endpoint)
        return declared is not None and (declared.page or request.blueprint == "console")
    best = request.accept_mimetypes.best_match(["application/json", "text/html"], "application/json")
    return best == "text/html" and not request.path.startswith("/v1/")


def _not_authenticated(error: NotAuthenticated) -> ResponseReturnValue:
    if error.page:
        asked = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else None
        return redirect(url_for("console.log_in", next=asked), 303)
    response = _answer(Problem(401, "not_authenticated", error.reason))
    for challenge in error.challenges:
        response.headers.add("WWW-Authenticate", challenge)
    return response


def _too_many_attempts(error: TooManyAttempts) -> Response:
    headers = {"Retry-After": str(max(1, round(error.after_seconds)))}
    return _answer(Problem(429, "too_many_attempts", f"{error}.", headers=headers))


def _csrf(error: CSRFError) -> Response:
    detail = f"{error.description} Load the page again and repeat; scripts use Basic authentication and no cookie."
    return _answer(Problem(403, "forbidden", detail))


def _database(error: Exception) -> Response:
    """The sender keeps its message and tries again: nothing of this request was committed."""
    if isinstance(error, DataError):
        log.warning("value_not_storable", path=request.path, error=str(error.orig))
        detail = "A value holds a NUL character, or is beyond what can be stored or looked for; nothing was done."
        return Problem(422, "refused", detail).response()
    if isinstance(error, IntegrityError):
        log.error("request_failed", path=request.path, error=str(error.orig))
        return _failed()
    log.warning("database_unavailable", path=request.path, error=str(error)[:500])
    detail = "The database cannot be reached, is locked or is full. Nothing was accepted; try again."
    return _answer(Problem(503, "unavailable", detail, headers={"Retry-After": RETRY_AFTER_SECONDS}))


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error.get_response()
    if isinstance(error, RequestEntityTooLarge):
        most = services().settings.max_body_bytes
        detail = f"The body has more than {most:,} bytes; send less at a time, or raise LINESIDE_MAX_BODY_BYTES."
        return _answer(Problem(413, "too_large", detail))
    if error.code >= 500:
        return _failed()
    response = _answer(Problem(error.code, _CODES.get(error.code, "bad_request"), _detail(error)))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _detail(error: HTTPException) -> str:
    """In our words where the router found nothing: its own are for a person who typed an address into a browser."""
    shown = repr(request.path[:200])
    described = f"{url_for('documentation.show_docs')} describes the API"
    if isinstance(error, NotFound) and request.routing_exception is error:
        return f"There is no path {shown} here; {described}."
    if isinstance(error, MethodNotAllowed):
        takes = ", ".join(sorted(error.valid_methods or ()))
        return f"The path {shown} does not take {request.method}, it takes {takes}; {described}."
    return error.description or error.name


def _failed() -> Response:
    return _answer(Problem(500, "internal_error", "Lineside itself failed on this request; its log has the details."))

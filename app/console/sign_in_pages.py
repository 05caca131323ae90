"""Logging in and out, and the console's own files."""

from __future__ import annotations

from pathlib import Path

from flask import redirect, render_template, request, send_from_directory, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user, logout_user

from app.access.gate import csrf
from app.access.identity import TooManyAttempts
from app.access.sessions import SignedIn
from app.console.back import is_own_path
from app.console.routing import ANYBODY, VIEWER, page
from app.web.services import services

STATIC = Path(__file__).parent / "static"


@page("GET", "/login", ANYBODY)
def log_in() -> ResponseReturnValue:
    return render_template("login.html", next=request.args.get("next", ""))


@page("POST", "/login", ANYBODY)
def check_log_in() -> ResponseReturnValue:
    """A wrong name and a wrong password are told alike."""
    csrf.protect()
    form = request.form
    following = form.get("next", "")
    try:
        owner = services().gate.sign_in.authenticate(
            form.get("name", ""), form.get("password", ""), request.remote_addr or ""
        )
    except TooManyAttempts as error:
        return render_template("login.html", next=following, fault=f"{error}."), 429
    if owner is None:
        return render_template("login.html", next=following, fault="Name or password is wrong."), 401
    session.clear()
    login_user(SignedIn(owner))
    return redirect(following if is_own_path(following) else url_for("console.show_overview"), 303)


@page("POST", "/logout", VIEWER)
def log_out() -> ResponseReturnValue:
    logout_user()
    session.clear()
    return redirect(url_for("console.log_in"), 303)


@page("GET", "/static/<any('console.css','console.js','icon.svg'):name>", ANYBODY)
def show_file(name: str) -> ResponseReturnValue:
    return send_from_directory(STATIC, name, max_age=300)

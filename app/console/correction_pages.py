"""Correct a dead letter's payload on a page, and resubmit it."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.access.identity import current_identity
from app.console.documents import lay_out
from app.console.routing import OPERATOR, page
from app.dead_letters.repair import DeadLetterError, refuse_if_partly_posted
from app.web.bodies import kind_of, media_type
from app.web.corrections import Letter, check_correction, read_dead_letter, read_letter
from app.web.dead_letter_acts import correct_message
from app.web.problems import Problem
from app.web.services import services
from mappings.context import MappingError
from mappings.formats import json_body

# A form's field may have 500,000 bytes; a character that is one for `maxlength` has at most three of them.
TEXT_MOST = 100_000


@page("GET", "/dead-letters/<int:message_id>/correct", OPERATOR)
def ask_correction(message_id: int) -> ResponseReturnValue:
    """The payload as it is read now, to be mended; back to the message where that cannot help."""
    try:
        with services().store.reading() as session:
            letter = read_dead_letter(session, message_id)
            refuse_if_partly_posted(session, message_id)
    except DeadLetterError as error:
        return _back(message_id, str(error))
    except Problem as problem:
        if problem.status == 404:
            raise
        return _back(message_id, problem.detail)
    return _form(letter, _editable(letter))


@page("POST", "/dead-letters/<int:message_id>/correct", OPERATOR)
def correct_one(message_id: int) -> ResponseReturnValue:
    """Resubmit with what was typed; where that cannot be, the page comes back with it and says why."""
    typed = request.form.get("payload", "")
    with services().store.reading() as session:
        letter = read_letter(session, message_id)
    try:
        body = _as_body(typed, letter)
        check_correction(letter, body)
        correct_message(services(), message_id, body, current_identity().actor)
    except Problem as problem:
        return _form(letter, typed, problem), problem.status
    flash(f"Message {message_id} is corrected and due again.", "good")
    return redirect(url_for("console.show_message", message_id=message_id), 303)


def _back(message_id: int, why: str) -> ResponseReturnValue:
    flash(why, "bad")
    return redirect(url_for("console.show_message", message_id=message_id), 303)


def _form(letter: Letter, text: str | None, problem: Problem | None = None) -> str:
    return render_template(
        "correct.html", message=letter.message, letter=letter, text=text, problem=problem, most=TEXT_MOST
    )


def _editable(letter: Letter) -> str | None:
    """The payload as text for a form, JSON laid out; None where a form could not give it back as it is."""
    text = letter.text
    if text is None or len(text) > TEXT_MOST:
        return None
    if kind_of(media_type(letter.content_type)) != "json":
        return text
    laid_out = _laid_out(letter.body)
    return laid_out if laid_out is not None and len(laid_out) <= TEXT_MOST else text


def _laid_out(body: bytes) -> str | None:
    try:
        value = json_body.read(body)
        text = lay_out(value)
        return text if json_body.read(text.encode()) == value else None
    except MappingError:
        return None


def _as_body(typed: str, letter: Letter) -> bytes:
    """What was typed, as bytes. A browser ends each line with CR LF, whatever the lines ended with before."""
    if len(typed) > 2 * TEXT_MOST:
        raise Problem(422, "refused", f"The form takes {TEXT_MOST:,} characters; use `lineside dead correct`.")
    text = typed if b"\r\n" in letter.body else typed.replace("\r\n", "\n")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Problem(422, "refused", "The text holds half a character; take it out.") from None

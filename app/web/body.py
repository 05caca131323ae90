"""The body of a request, whole or not at all."""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge


def whole_body() -> bytes:
    """The request's bytes; raises RequestEntityTooLarge (413) beyond ``LINESIDE_MAX_BODY_BYTES``.

    A body that comes in chunks says nothing of its length, and Werkzeug (3.1) ends it at the limit without a word: so
    what follows has to be asked for.
    """
    body = request.get_data(cache=False)
    if request.content_length is None and body and request.environ["wsgi.input"].read(1):
        raise RequestEntityTooLarge
    return body

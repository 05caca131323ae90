"""Where a person came from, as far as it is a page of this console."""

from __future__ import annotations

from flask import request


def is_own_path(path: str) -> bool:
    """A path of this site: ``//host`` and ``/\\host`` lead elsewhere in a browser."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()


def back_to(otherwise: str) -> str:
    """The page that the form names, if it is one of ours."""
    path = request.form.get("back", "")
    return path if is_own_path(path) else otherwise

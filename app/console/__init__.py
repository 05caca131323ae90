"""Pages for operators, acting through the same services as the API."""

from flask import Flask


def register_console(app: Flask) -> None:
    return

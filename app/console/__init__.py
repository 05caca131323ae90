"""Pages for operators, acting through the same services as the API."""

from app.console.registration import register_console

__all__ = ["register_console"]

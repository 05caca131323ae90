"""What a person is told of a message that was exported and deleted."""

from __future__ import annotations

from app.store.retention_tables import Archive


def exported_to(message_id: int, archive: Archive | None) -> str:
    place = f" on {archive.made_at:%Y-%m-%d} to {archive.path} on {archive.host}" if archive else ""
    return f"Message {message_id} was exported{place} and deleted here; `lineside retention restore` reads it back."

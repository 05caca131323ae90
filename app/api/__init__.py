"""HTTP: messages in and out, and what operators' scripts need."""

from app.api.registration import register_api

__all__ = ["register_api"]

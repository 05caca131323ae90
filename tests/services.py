"""Services that some tests need: where they are looked for, and what happens where they are missing."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

POSTGRES_URL = os.environ.get("LINESIDE_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("LINESIDE_TEST_REDIS", "redis://127.0.0.1:6379/9")
RABBITMQ_URL = os.environ.get("LINESIDE_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")
RABBITMQ_API = os.environ.get("LINESIDE_TEST_RABBITMQ_API", "http://127.0.0.1:15672/api")


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def missing_service(name: str, where: str) -> NoReturn:
    """Skip on a laptop, fail in CI: a missing service must not turn promises into silence there."""
    reason = f"{name} does not answer at {where.rsplit('@', 1)[-1]}"
    if in_ci():
        pytest.fail(reason)
    pytest.skip(reason)

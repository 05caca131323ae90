"""gunicorn's own lines, in the form of all the others."""

from __future__ import annotations

from gunicorn.config import Config
from gunicorn.glogging import Logger

from app.telemetry.logs import configure_logging
from config.settings import load_settings


class OneFormLogger(Logger):  # type: ignore[misc]
    """Hands gunicorn's lines to the root logger instead of writing them itself."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        configure_logging(load_settings())
        for log in (self.error_log, self.access_log):
            log.handlers[:] = []
            log.propagate = True

"""The secret of this installation, by which cookies are signed and secrets are sealed."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex


def installation_secret(home: Path) -> str:
    """The secret of this installation, made at its first start; every web process reads the same one.

    The file is made whole under another name and linked into place, so that of two processes that start together
    one wins and both read what it wrote.
    """
    path = home / "secret.key"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = home / f".secret.key.{os.getpid()}.{token_hex(4)}"
        draft.touch(mode=0o600)
        draft.write_text(token_hex(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()

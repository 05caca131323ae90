"""Blocks of options that belong to an adapter or a mapping, and the names of secrets: no secret stands in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from config.strict_schema import Checked, Path, Problem, fail

_SECRET_KEY = re.compile(
    r"(^|[_-])(password|passwd|passphrase|pwd|token|secret|credentials?|authorization|(api|access|private|secret)[_-]?key)$"
    r"|^key$",
    re.IGNORECASE,
)
MEND_OF_CREDENTIALS = "name the secret, and set its value as the variable LINESIDE_SECRET_<NAME>"


class SecretName(Checked):
    """The name of a secret, never the secret; a refusal never repeats the value, since it may be one."""

    def check(self, value: Any) -> str:
        if (
            not isinstance(value, str)
            or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", value)
            or _is_like_a_secret(value)
        ):
            raise fail("this is no name of a secret, and may be the secret itself", MEND_OF_CREDENTIALS)
        return value


def _is_like_a_secret(text: str) -> bool:
    """Long, or a run of letters and digits as generators make them; a name that people give is neither."""
    if len(text) > 40:
        return True
    runs = (run for run in re.split(r"[_.-]", text) if len(run) >= 16)
    return any(sum(character.isdigit() for character in run) >= 3 or not run.islower() for run in runs)


class Options(Checked):
    """A block that belongs to an adapter or a mapping. Whatever it holds, it holds no secrets."""

    def check(self, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise fail("this should be a block of keys", "write `key: value` lines")
        found: dict[Any, Any] = {}
        for path, problem in _secrets_within(value):
            place = found
            for part in path[:-1]:
                place = place.setdefault(part, {})
            place[path[-1]] = [problem]
        if found:
            raise ValidationError(found)
        return value


def _secrets_within(value: Any, path: Path = ()) -> Iterator[tuple[Path, Problem]]:
    if isinstance(value, dict):
        for key, below in value.items():
            if _SECRET_KEY.search(key) and not _is_reference(below):
                yield (
                    (*path, key),
                    Problem(f"{key!r} holds a secret", f"write `{key}: {{secret: NAME}}`: {MEND_OF_CREDENTIALS}"),
                )
            elif not _SECRET_KEY.search(key):
                yield from _secrets_within(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _secrets_within(below, (*path, index))


def _is_reference(value: Any) -> bool:
    """A named secret, or a placeholder alone: a search by ``key: "{posting_key}"`` gives nothing away."""
    if isinstance(value, str):
        return re.fullmatch(r"\{[a-z_]+\}", value) is not None
    try:
        return isinstance(value, dict) and set(value) == {"secret"} and bool(SecretName().check(value["secret"]))
    except ValidationError:
        return False


class Translations(Checked):
    """Text to text, such as a source's unit codes to canonical ones."""

    def check(self, value: Any) -> Mapping[str, str]:
        if not isinstance(value, dict):
            raise fail("this should be a block of keys", "write for example {STK: EA, KGM: KG}")
        wrong = {
            key: [Problem("this should be text", "put it in quotes")]
            for key, word in value.items()
            if not isinstance(word, str) or not word.strip()
        }
        if wrong:
            raise ValidationError(wrong)
        return value

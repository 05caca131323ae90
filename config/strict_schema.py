"""Schema fields whose every refusal says what is wrong and how to mend it.

The topology file and the adapters' options are checked with these.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One fault: ``reason`` says what is wrong, ``mend`` what to write instead."""

    reason: str
    mend: str


def fail(reason: str, mend: str) -> ValidationError:
    return ValidationError([Problem(reason, mend)])


def nearest(word: str, known: Collection[str], otherwise: str = "") -> str:
    """``did you mean X?`` where a known name is close, else the list of known names."""
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), sorted(folded), n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]}?"
    if otherwise or not known:
        return otherwise or "none is declared yet"
    names = sorted(known)
    return "give one of " + ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")


class StrictSchema(Schema):
    """Refuses keys that it does not know, and suggests the one that was meant."""

    error_messages = {"type": "this should be a block of keys"}

    class Meta:
        unknown = EXCLUDE

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def refuse_unknown_keys(self, data: Any, original: Any, **_: Any) -> None:
        if not isinstance(original, Mapping):
            return
        known = {field.data_key or name for name, field in self.fields.items()}
        unknown = [key for key in original if key not in known]
        if unknown:
            raise ValidationError({key: [Problem(f"{key!r} is no key here", nearest(key, known))] for key in unknown})


def problems(errors: Any, path: Path = ()) -> Iterator[tuple[Path, Problem]]:
    """Every problem in a ValidationError's messages with the path to its place."""
    if isinstance(errors, Mapping):
        for key, below in errors.items():
            yield from problems(below, path if key == "_schema" else (*path, key))
    elif isinstance(errors, Problem):
        yield path, errors
    elif isinstance(errors, Sequence) and not isinstance(errors, str):
        for error in errors:
            yield from problems(error, path)
    else:
        yield path, Problem(str(errors), "write `key: value` lines")


class Checked(fields.Field[Any]):
    """``mend`` is what a reader is told where the key is missing or its value is of another kind."""

    kind = "value"

    def __init__(self, *, mend: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mend = mend or f"give a {self.kind}"
        self.error_messages = dict(self.error_messages) | {
            "required": [Problem("it is missing", self.mend)],
            "null": [Problem("it is empty", self.mend + ", or remove the key")],
        }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return self.check(value)

    def check(self, value: Any) -> Any:
        return value


class Text(Checked):
    kind = "text"

    def __init__(self, pattern: str = "", max_characters: int = 500, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pattern = re.compile(pattern) if pattern else None
        self._max_characters = max_characters

    def check(self, value: Any) -> str:
        if not isinstance(value, str):
            raise fail("this should be text", "put it in quotes" if isinstance(value, (int, float)) else self.mend)
        if not value.strip():
            raise fail("it is empty", self.mend)
        if len(value) > self._max_characters:
            raise fail(f"it is longer than {self._max_characters} characters", "shorten it")
        if self._pattern and not self._pattern.fullmatch(value):
            raise fail(f"{value!r} is not allowed here", self.mend)
        return value


class Choice(Checked):
    kind = "known word"

    def __init__(self, *words: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._words = words

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self._words:
            raise fail(f"{_shown(value)} is not known", nearest(str(value), self._words))
        return value


class Flag(Checked):
    kind = "true or false"

    def check(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise fail(f"{_shown(value)} is neither true nor false", "write true or false without quotes")
        return value


class Number(Checked):
    kind = "number"

    def __init__(self, low: float, high: float, *, whole: bool = False, **kwargs: Any) -> None:
        kind = "whole number" if whole else "number"
        super().__init__(mend=f"give a {kind} from {low:g} to {high:g}", **kwargs)
        self._low, self._high, self._whole = low, high, whole

    def check(self, value: Any) -> Any:
        kinds = int if self._whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not self._low <= value <= self._high:
            raise fail(f"{_shown(value)} is out of range", self.mend)
        return value if self._whole else float(value)


class Many(Checked):
    """A list whose elements each pass ``inner``; a fault names the element. ``distinct`` refuses one twice."""

    kind = "list"

    def __init__(self, inner: Checked, *, at_least: int = 0, distinct: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._inner, self._at_least, self._distinct = inner, at_least, distinct

    def check(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise fail("this should be a list", "write [a, b] or one `- a` a line")
        if len(value) < self._at_least:
            raise fail("the list is empty", self.mend)
        found: dict[int, list[Problem]] = {}
        good: list[Any] = []
        for index, element in enumerate(value):
            try:
                good.append(self._element(element, good))
            except ValidationError as error:
                found[index] = error.messages  # type: ignore[assignment]
        if found:
            raise ValidationError(found)
        return tuple(good)

    def _element(self, element: Any, before: list[Any]) -> Any:
        if element is None:
            raise fail("this element is empty", "give a value or remove it")
        checked = self._inner.check(element)
        if self._distinct and checked in before:
            raise fail(f"{_shown(checked)} is listed twice", "remove one of the two")
        return checked


class Block(Checked):
    """A nested block of keys."""

    kind = "block of keys"

    def __init__(self, schema: type[StrictSchema], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._schema = schema

    def check(self, value: Any) -> Any:
        return self._schema().load(value)


class Blocks(Many):
    """A list of blocks of keys."""

    def __init__(self, schema: type[StrictSchema], **kwargs: Any) -> None:
        super().__init__(Block(schema), distinct=False, **kwargs)


class Zone(Text):
    kind = "IANA time zone such as Europe/Berlin"

    def check(self, value: Any) -> str:
        name = super().check(value)
        try:
            ZoneInfo(name)
        except (ValueError, KeyError, OSError):
            raise fail(f"{name!r} is no IANA time zone", nearest(name, available_timezones(), self.mend)) from None
        return name


class HttpUrl(Text):
    """http or https with a host, and no credentials in it: those come from the environment."""

    kind = "URL such as https://erp.example.com/api"

    def check(self, value: Any) -> str:
        url = super().check(value)
        try:
            parts = urlsplit(url)
            port_is_good = parts.port != 0
        except ValueError:
            raise fail("this is no usable URL", self.mend) from None
        if parts.username is not None or parts.password is not None:
            raise fail("the URL holds credentials", "remove USER:PASSWORD@, and name the secret by `secret:`")
        if parts.scheme not in ("http", "https"):
            raise fail(f"the scheme {parts.scheme!r} is not allowed", "give a URL with http:// or https://")
        if not parts.hostname or not port_is_good or not url.isascii() or " " in url:
            raise fail("the URL has no usable host or port", self.mend)
        if parts.query or parts.fragment:
            raise fail("the URL has a query or a fragment", "end it with the path")
        return url.rstrip("/")


class Encoding(Text):
    kind = "text encoding such as utf-8, cp1252 or latin-1"

    def check(self, value: Any) -> str:
        name = super().check(value)
        try:
            "".encode(name)
        except LookupError:
            known = ("utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "cp850", "cp437", "ascii", "iso-8859-15")
            raise fail(f"{name!r} is no text encoding", nearest(name, known, self.mend)) from None
        return name


class Delimiter(Text):
    kind = "single character such as ;"

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or len(value) != 1 or value.isalnum() or value in "\r\n\"'. ":
            raise fail("this is no single delimiter character", self.mend)
        return value


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, (str, int, float, bool)) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."

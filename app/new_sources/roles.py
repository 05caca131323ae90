"""Which field of a sample is the order, the item, the quantity: by its name, and by whether its values can be that."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.new_sources.sample import Field, Sample, distinct
from app.new_sources.times import Times, clocks, days, whole_times
from app.new_sources.wording import ROLES, UNITS

COMPLETED, SCRAPPED = "production.completed.v1", "production.scrapped.v1"
ISSUED, MOVED = "material.issued.v1", "inventory.moved.v1"
NEEDED: Mapping[str, tuple[str, ...]] = {
    COMPLETED: ("order", "item", "quantity", "time"),
    SCRAPPED: ("order", "item", "quantity", "reason", "time"),
    ISSUED: ("order", "item", "quantity", "time"),
    MOVED: ("item", "quantity", "from_storage", "to_storage", "time"),
}
FOR_EVENT: Mapping[str, tuple[str, ...]] = {
    COMPLETED: ("segment", "unit", "lot"),
    SCRAPPED: ("segment", "unit", "lot"),
    ISSUED: ("segment", "unit", "lot"),
    MOVED: ("unit", "lot"),
}
_NUMBER = re.compile(r"[0-9]{1,3}([.,][0-9]{3})*([.,][0-9]+)?|[0-9]+([.,][0-9]+)?")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CERTAIN, _LIKELY = 2, 1


class NotEnough(Exception):
    """The sample lacks what every event needs; the text names it and how to say which field it is."""


@dataclass(frozen=True)
class Guess:
    """``doubt``: why a person has to look at it; None where it is certain, or a person has said it."""

    field: Field
    doubt: str | None = None


@dataclass
class Guesses:
    """What was found. ``units`` are the source's codes and ours; ``mark`` is the one before decimals."""

    event: str
    roles: dict[str, Guess]
    times: Times
    units: dict[str, str]
    mark: str = "."
    doubts: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


def guess(sample: Sample, named: Mapping[str, str], event: str | None) -> Guesses:
    """``named``: role -> field, as a person says. Raises NotEnough."""
    roles = _named(sample, named)
    usable = _of_one_list(sample.fields, roles.get("quantity") or _best(sample.fields, "quantity", {}))
    for role in ROLES:
        if role not in roles and (found := _best(usable, role, roles)):
            roles[role] = found
    if "id" not in roles and (other := _telling_apart(usable, roles)):
        roles["id"] = other
    chosen = event or _event(roles)
    _refuse_if_not_enough(sample, chosen, roles)
    times, doubt = _times(roles)
    kept = {role: each for role, each in roles.items() if role in _roles_of(chosen, roles)}
    units, unit_doubts = _units(kept.get("unit"))
    mark, mark_doubt = _mark(kept["quantity"].field)
    doubts = [*unit_doubts, *(text for text in (doubt, mark_doubt) if text)]
    taken = {id(each.field) for each in kept.values()}
    unused = [each.name for each in sample.fields if id(each) not in taken]
    return Guesses(chosen, kept, times, units, mark, doubts, unused)


def _named(sample: Sample, named: Mapping[str, str]) -> dict[str, Guess]:
    known = {each.name: each for each in sample.fields}
    for role, name in named.items():
        if role not in ROLES:
            raise NotEnough(f"{role!r} is no role of a field; there are: {', '.join(ROLES)}.")
        if name not in known:
            raise NotEnough(f"The sample has no field {name!r}; it has: {', '.join(known)}.")
    return {role: Guess(known[name]) for role, name in named.items()}


def _of_one_list(fields: Sequence[Field], quantity: Guess | None) -> list[Field]:
    """One event is made of each member of the list that holds the quantities; what stands in others is not used."""
    holding = quantity.field.list_path if quantity else None
    return [each for each in fields if each.list_path in (None, holding)]


def _best(fields: Sequence[Field], role: str, roles: Mapping[str, Guess]) -> Guess | None:
    """The first field whose name is the role's, else the first whose name holds it."""
    taken = {id(each.field) for each in roles.values()}
    free = [each for each in fields if id(each) not in taken and _can_be(role, each, roles)]
    scored = [(score, each) for each in free if (score := _score(role, each))]
    if not scored:
        return None
    best = max(score for score, _ in scored)
    first = next(each for score, each in scored if score == best)
    others = [each.name for score, each in scored if score == best and each is not first]
    if best == _CERTAIN and not others:
        return Guess(first)
    return Guess(first, f"it could also be {', '.join(others)}" if others else f"its name is like {role}")


def _telling_apart(fields: Sequence[Field], roles: Mapping[str, Guess]) -> Guess | None:
    """A field that nothing else is read from and that no two rows have in common."""
    taken = {id(each.field) for each in roles.values()}
    rows = [each for each in fields if len(each.values) > 1 and each.list_path is None and id(each) not in taken]
    unlike = next((each for each in rows if _can_be("id", each, roles)), None)
    return Guess(unlike, "no two rows of the sample have it in common") if unlike else None


def _score(role: str, each: Field) -> int:
    words = [_bare(word) for key in each.path for word in re.split(r"[\W_]+", _CAMEL.sub("_", key)) if word]
    whole, last = "".join(words), _bare(each.path[-1])
    if last in ROLES[role] or whole in ROLES[role]:
        return _CERTAIN
    return _LIKELY if any(word in ROLES[role] for word in words) else 0


def _bare(text: str) -> str:
    """Small letters and digits, without accents; German umlauts as they are written without them."""
    for letter, spelled in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.lower().replace(letter, spelled)
    plain = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in plain if sign.isalnum() and sign.isascii())


def _can_be(role: str, each: Field, roles: Mapping[str, Guess]) -> bool:
    texts = each.texts()
    if not texts:
        return False
    fits: Mapping[str, Callable[[], bool]] = {
        "quantity": lambda: all(_NUMBER.fullmatch(text) for text in texts),
        "unit": lambda: all(len(text) <= 8 for text in texts) and len(set(texts)) <= 20,
        "time": lambda: whole_times(texts) is not None or days(texts) is not None,
        "clock": lambda: clocks(texts) is not None and whole_times(_texts(roles.get("time"))) is None,
        "id": lambda: len(set(texts)) == len(each.values),
        "order": lambda: len(texts) == len(each.values),
        "item": lambda: len(texts) == len(each.values),
        "reason": lambda: len(texts) == len(each.values),
    }
    return fits.get(role, lambda: True)()


def _texts(guessed: Guess | None) -> list[str]:
    return guessed.field.texts() if guessed else []


def _event(roles: Mapping[str, Guess]) -> str:
    if "from_storage" in roles and "to_storage" in roles:
        return MOVED
    return SCRAPPED if "reason" in roles else COMPLETED


def _refuse_if_not_enough(sample: Sample, event: str, roles: Mapping[str, Guess]) -> None:
    if missing := [role for role in NEEDED[event] if role not in roles]:
        told = ", ".join(f"--field {role}=NAME" for role in missing)
        known = ", ".join(each.name for each in sample.fields)
        needs = f"No field of the sample is known as {', '.join(missing)}, which {event} needs"
        raise NotEnough(f"{needs}; say {told}. Its fields are: {known}.")


def _roles_of(event: str, roles: Iterable[str]) -> set[str]:
    wanted = {*NEEDED[event], *FOR_EVENT[event], "id", "clock"}
    return {role for role in roles if role in wanted}


def _times(roles: dict[str, Guess]) -> tuple[Times, str | None]:
    """A day and a clock that stand apart are read together."""
    texts = roles["time"].field.texts()
    found = whole_times(texts)
    if found is not None:
        roles.pop("clock", None)
        return found, _about("time", roles["time"], found.doubt)
    day, clock = days(texts), clocks(_texts(roles.get("clock")))
    if day is None:
        raise NotEnough(
            f"How {roles['time'].field.name} is written is not known ({texts[0]!r}); say --field time=NAME."
        )
    if clock is None:
        roles.pop("clock", None)
        return day, _about("time", roles["time"], day.doubt or "it is a day only, and midnight is taken")
    return Times(f"{day.pattern} {clock.pattern}", day.doubt), _about("time", roles["time"], day.doubt)


def _about(role: str, each: Guess, doubt: str | None) -> str | None:
    return f"{role} ({each.field.name}): {doubt}" if doubt else None


def _units(found: Guess | None) -> tuple[dict[str, str], list[str]]:
    if found is None:
        return {"EA": "EA"}, ["unit: the sample has no field for it, so every quantity is taken as EA"]
    units = {text: UNITS.get(text.upper().rstrip("."), text.upper()[:16]) for text in distinct(found.field.texts())}
    unknown = [text for text in units if text.upper().rstrip(".") not in UNITS]
    return units, [f"unit {text!r}: its canonical code is not known, {units[text]!r} is taken" for text in unknown]


def _mark(quantity: Field) -> tuple[str, str | None]:
    """The mark before decimals, by the numbers that show it."""
    texts: Sequence[str] = [value for value in quantity.values if isinstance(value, str)]
    commas, points = [text for text in texts if "," in text], [text for text in texts if "." in text]
    if not commas and not points:
        return ".", f"quantity ({quantity.name}): no decimals stand in the sample, a point is taken" if texts else None
    both = next((text for text in commas if "." in text), None)
    if both:
        return (",", None) if both.rindex(",") > both.rindex(".") else (".", None)
    mark = "," if commas else "."
    if all(len(text.rpartition(mark)[2]) == 3 for text in (commas or points)):
        return mark, f"quantity ({quantity.name}): {(commas or points)[0]} is taken as decimals, not as thousands"
    return mark, None

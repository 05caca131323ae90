"""What the topology may say about business exceptions and their owners."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from marshmallow import ValidationError, validates_schema

from config.exception_terms import RULE_TERMS, SEVERITIES, RuleTerms
from config.option_blocks import MEND_OF_CREDENTIALS, SecretName
from config.strict_schema import (
    Block,
    Blocks,
    Checked,
    Choice,
    Flag,
    HttpUrl,
    Number,
    Problem,
    StrictSchema,
    Text,
    fail,
    nearest,
)

_ADDRESS = r"[^@\s\x00-\x1f<>,;]+@[^@\s\x00-\x1f<>,;]+"


OWNER_NAME = "[a-z0-9][a-z0-9_-]{0,39}"
MEND_OF_OWNER = "write up to 40 of a-z, 0-9, _ and -"


def owner_name(**kwargs: Any) -> Text:
    return Text(OWNER_NAME, mend=MEND_OF_OWNER, **kwargs)


def address(**kwargs: Any) -> Text:
    return Text(_ADDRESS, max_characters=254, mend="write one address such as shift@example.com", **kwargs)


class Named(Checked):
    """Blocks of keys by name; ``schema_of`` gives the schema of a name, and None where there is no such name."""

    kind = "block of keys"

    def __init__(self, known: Mapping[str, type[StrictSchema]] | type[StrictSchema], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._known = known

    def check(self, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise fail("this should be a block of keys", "write `name: {key: value}` lines")
        found: dict[Any, Any] = {}
        good: dict[str, Any] = {}
        for name, block in value.items():
            try:
                good[name] = self._schema_of(str(name))().load(block)
            except ValidationError as error:
                found[name] = error.messages
        if found:
            raise ValidationError(found)
        return good

    def _schema_of(self, name: str) -> type[StrictSchema]:
        if not isinstance(self._known, Mapping):
            return self._known
        if name not in self._known:
            raise fail(f"there is no rule {name!r}", nearest(name, self._known))
        return self._known[name]


def _fields(terms: RuleTerms, *, of_a_plant: bool = False) -> dict[str, Any]:
    """What is not judged plant by plant has one threshold for all."""
    has_threshold = terms.judged or not of_a_plant
    threshold = {terms.key: Number(terms.low, terms.high)} if terms.key and has_threshold else {}
    return {"enabled": Flag(), "severity": Choice(*SEVERITIES), "owner": owner_name(), **threshold}


def _schema(name: str, keys: Mapping[str, Any]) -> type[StrictSchema]:
    made: type[StrictSchema] = StrictSchema.from_dict(dict(keys), name=name)  # type: ignore[assignment]
    return made


def _rule_schema(terms: RuleTerms) -> type[StrictSchema]:
    of_a_plant = _schema(f"{terms.word}_of_a_plant", _fields(terms, of_a_plant=True))
    return _schema(terms.word, {**_fields(terms), "plants": Named(of_a_plant)})


RULE_SCHEMAS: Mapping[str, type[StrictSchema]] = {word: _rule_schema(terms) for word, terms in RULE_TERMS.items()}


class MailServerSchema(StrictSchema):
    host = Text(r"[A-Za-z0-9.:_-]+", max_characters=255, mend="name the server: smtp.example.com", required=True)
    port = Number(1, 65_535, whole=True)
    security = Choice("starttls", "tls", "none")
    sender = address(required=True)
    login = Text(max_characters=254, mend="give the name that logs in")
    secret = SecretName(mend=MEND_OF_CREDENTIALS)
    timeout_seconds = Number(1, 60)

    @validates_schema(skip_on_field_errors=True)
    def log_in_with_both(self, data: Mapping[str, Any], **_: Any) -> None:
        for given, lacking in (("login", "secret"), ("secret", "login")):
            if given in data and lacking not in data:
                raise ValidationError({given: [Problem(f"there is no `{lacking}` beside it", f"add `{lacking}`")]})
        if "login" in data and data.get("security") == "none":
            problem = Problem("the password would go out in clear text", "use starttls or tls")
            raise ValidationError({"security": [problem]})


class ExceptionsSchema(StrictSchema):
    owner = owner_name()
    quiet_minutes = Number(0, 43_200)
    email = Block(MailServerSchema)
    rules = Named(RULE_SCHEMAS)


class ChannelSchema(StrictSchema):
    webhook = HttpUrl()
    secret = SecretName(mend=MEND_OF_CREDENTIALS)
    email = address()
    timeout_seconds = Number(0.1, 60)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def lead_one_way(self, data: Mapping[str, Any], original: Any, **_: Any) -> None:
        given = [key for key in ("webhook", "email") if isinstance(original, Mapping) and key in original]
        if len(given) != 1:
            raise ValidationError([Problem("it is no one way to an owner", "give either `webhook` or `email`")])
        if given == ["webhook"] and "secret" not in original:
            mend = f"add `secret: NAME`; {MEND_OF_CREDENTIALS}"
            raise ValidationError({"secret": [Problem("the webhook could not be signed", mend)]})
        if given == ["email"] and "secret" in original:
            raise ValidationError({"secret": [Problem("e-mail is not signed", "remove it, or see `exceptions.email`")]})


class EscalationSchema(StrictSchema):
    after_minutes = Number(1, 43_200, required=True)
    to = owner_name(required=True)


class OwnerSchema(StrictSchema):
    channels = Blocks(ChannelSchema)
    escalation = Blocks(EscalationSchema)
    tell_resolved = Flag()

    @validates_schema(skip_on_field_errors=True)
    def escalate_in_order(self, data: Mapping[str, Any], **_: Any) -> None:
        minutes = [step["after_minutes"] for step in data.get("escalation", ())]
        if any(later <= earlier for earlier, later in pairwise(minutes)):
            problem = Problem("a step is not later than the one before", "count all from when the owner was told")
            raise ValidationError({"escalation": [problem]})

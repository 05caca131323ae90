"""Let a request in, or turn it away, by the policy of its route."""

from __future__ import annotations

import ipaddress

from flask import Flask, Request, current_app, g, request
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect

from app.access.identity import ANYBODY, Forbidden, Identity, NotAuthenticated
from app.access.keys import KeyRing
from app.access.party_keys import PREFIX, authenticate_party_key
from app.access.policy import Policy, policy_of
from app.access.sign_in import SignIn
from app.store.session import Store

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BEARER = 'Bearer realm="lineside"'
BASIC = 'Basic realm="lineside", charset="UTF-8"'

csrf = CSRFProtect()


class Gate:
    """Stands before every route of the application."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.keys = KeyRing(store)
        self.sign_in = SignIn(store)

    def guard(self, app: Flask) -> None:
        # The forms' token is checked below, and only where a browser's cookie is what lets the request in.
        app.config["WTF_CSRF_CHECK_DEFAULT"] = False
        csrf.init_app(app)
        app.before_request(self._check)

    def _check(self) -> None:
        if request.endpoint is None:
            return  # no such route; the router answers
        declared = policy_of(current_app, request.endpoint)
        if declared is None:
            raise Forbidden("This route has no policy.")
        g.lineside_identity = self._admit(declared, request)

    def _admit(self, declared: Policy, asked: Request) -> Identity:
        if declared.public:
            return ANYBODY
        identity = self._identify(declared, asked)
        if identity is None:
            if declared.loopback and comes_from_this_machine(asked):
                return ANYBODY
            raise NotAuthenticated(_how_to(declared), _challenges(declared), declared.page)
        if identity.party is not None:
            if declared.party != identity.party.kind:
                raise Forbidden(f"An API key of a {identity.party.kind} may not do this.")
            return identity
        if identity.key is not None:
            if not declared.source_key:
                raise Forbidden("An API key of a source may not do this; use an account.")
            return identity
        if declared.role is None:
            raise Forbidden("Messages are sent with an API key of their source, not with an account.")
        if not identity.has(declared.role):
            raise Forbidden(f"This needs the role {declared.role}; {identity.actor} is {identity.role}.")
        return identity

    def _identify(self, declared: Policy, asked: Request) -> Identity | None:
        """By key, else by name and password, else by the browser's session. What is sent and wrong is never passed
        over for what might be right."""
        plain = _plain_key(asked)
        if plain is not None:
            return self._key_identity(plain, declared)
        credentials = asked.authorization
        if credentials is not None and credentials.type == "basic":
            return self._account_identity(asked, credentials.username or "", credentials.password or "", declared)
        if current_user.is_authenticated:
            if asked.method not in SAFE_METHODS:
                csrf.protect()
            return Identity(current_user.owner.name, role=current_user.owner.role)
        return None

    def _key_identity(self, plain: str, declared: Policy) -> Identity:
        if plain.startswith(PREFIX):
            return self._party_identity(plain, declared)
        owner = self.keys.owner(plain)
        if owner is None:
            raise NotAuthenticated("This API key is unknown or was revoked.", _challenges(declared))
        return Identity(f"key:{owner.label}", key=owner)

    def _party_identity(self, plain: str, declared: Policy) -> Identity:
        with self._store.reading() as session:
            party = authenticate_party_key(session, plain)
        if party is None:
            raise NotAuthenticated("This API key is unknown or was revoked.", _challenges(declared))
        return Identity(f"{party.kind}:{party.party}", party=party)

    def _account_identity(self, asked: Request, name: str, password: str, declared: Policy) -> Identity:
        if not asked.is_secure and not is_loopback(asked.remote_addr):
            raise Forbidden("A password is taken over TLS or on this machine only.")
        owner = self.sign_in.authenticate_again(name, password, asked.remote_addr or "")
        if owner is None:
            raise NotAuthenticated("Name or password is wrong.", _challenges(declared))
        return Identity(owner.name, role=owner.role)


def is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def comes_from_this_machine(asked: Request) -> bool:
    """By address, unless a proxy on this machine passes on what came from elsewhere."""
    forwarded = "Forwarded" in asked.headers or "X-Forwarded-For" in asked.headers
    return is_loopback(asked.remote_addr) and not forwarded


def _plain_key(asked: Request) -> str | None:
    header = asked.headers.get("Authorization", "")
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    return asked.headers.get("X-Api-Key")


def _challenges(declared: Policy) -> tuple[str, ...]:
    return ((BEARER,) if declared.source_key or declared.party else ()) + (
        (BASIC,) if declared.role is not None else ()
    )


def _how_to(declared: Policy) -> str:
    ways = []
    if declared.source_key:
        ways.append("an API key of the source as `Authorization: Bearer ls_...`")
    if declared.party is not None:
        ways.append(f"an API key of the {declared.party} as `Authorization: Bearer lp_...`")
    if declared.role is not None:
        ways.append(f"an account with the role {declared.role} or more")
    return "Send " + ", or ".join(ways) + "."

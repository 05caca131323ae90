"""What a Tryton target may say in its ``options`` block."""

from __future__ import annotations

from marshmallow import fields, validate

from config.strict_schema import StrictSchema


class TrytonOptions(StrictSchema):
    """``company`` is the id of the company where the key's user sees several; ``ca_file`` holds the certificates
    that an https address is checked with, where the system's own do not do.

    ``login`` is the service user's, whose password is then the REST key as well: with it, postings that are under way
    at the same time share their calls over JSON-RPC, which is several times as fast. Raise ``calls_in_flight`` then.
    """

    company = fields.Integer(strict=True, validate=validate.Range(min=1))
    ca_file = fields.String()
    login = fields.String(validate=validate.Length(min=1))

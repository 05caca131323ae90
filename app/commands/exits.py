"""How a command ends: 0 it is so, 1 the answer is no, 2 the call or the configuration is wrong, 3 something is away."""

from __future__ import annotations

import click

NO = 1
UNUSABLE = 2
UNREACHABLE = 3


class AnswerIsNo(click.ClickException):
    """What was asked for is not there, or was not done."""

    exit_code = NO


class Unusable(click.ClickException):
    """The call, a setting or the topology has to be mended first."""

    exit_code = UNUSABLE


class Unreachable(click.ClickException):
    """A database, a broker or a server that is needed does not answer."""

    exit_code = UNREACHABLE

"""Business exceptions: rules look for them, and their owners are told."""

from __future__ import annotations

from app.business_exceptions.channels import Channels
from app.business_exceptions.rounds import tell_owners
from app.exception_rules.rounds import judge_rules
from config.queues import JUDGE_RULES, TELL_OWNERS
from tasks.base import app, workplace


@app.task(name=JUDGE_RULES)
def judge() -> None:
    here = workplace()
    judge_rules(here.store, here.topology, here.pipeline.clock)


@app.task(name=TELL_OWNERS)
def tell() -> None:
    here = workplace()
    policy = here.topology.exceptions
    tell_owners(here.store, policy, Channels(policy, here.settings), here.pipeline.clock)

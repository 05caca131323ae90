"""Several postings in one call of a REST system: a list of them goes there, and a result of each comes back.

What is under way at once goes together (``gathering``). Each posting is judged by its own result as if it had been
called alone. A call that is refused as a whole is made again for each posting by itself, so that one that the system
cannot read costs its neighbours time and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.adapters.base import PostingRequest
from app.adapters.bounded_http import HttpAnswer
from app.adapters.gathering import Gathering
from app.adapters.http_json_bodies import part_of
from app.adapters.json_answers import MISSING, parse_object, pick
from app.errors import LinesideError, OutcomeUnknown

AT_MOST = 100
# Such an answer is about all that was sent, however it is cut.
NOT_ABOUT_THE_LIST = (401, 403, 408, 425, 429)

Outcome = HttpAnswer | LinesideError
Item = tuple[str, dict[str, Any]]
"""A posting key, and what goes out for it."""


class Batches:
    """``send`` makes a call with this body. ``options``: the target's ``batch``. May be used by several threads."""

    def __init__(self, code: str, options: Mapping[str, Any], send: Callable[[bytes], HttpAnswer]) -> None:
        self._code = code
        self._options = options
        self._send = send
        at_most = int(options.get("at_most", AT_MOST))
        self._gathered: Gathering[str, HttpAnswer] = Gathering(self._outcomes, lambda group: 0, at_most)

    def post(self, request: PostingRequest, values: Mapping[str, str]) -> HttpAnswer:
        """What the system answers about this one. Raises as a call alone does, and OutcomeUnknown where the answer
        tells nothing of it."""
        entry = self._entry(request, values)
        return self._gathered("post", (request.posting_key, entry))

    def _entry(self, request: PostingRequest, values: Mapping[str, str]) -> dict[str, Any]:
        names = self._options.get("entry", {})
        return {
            names.get("posting_key", "posting_key"): request.posting_key,
            names.get("kind", "kind"): request.kind,
            names.get("plant", "plant"): request.plant,
            names.get("document", "document"): part_of(self._options, request.document, values),
        }

    def _outcomes(self, group: str, items: Sequence[Any]) -> Sequence[Outcome]:
        answer = self._asked(items)
        if isinstance(answer, LinesideError):
            return [answer] * len(items)
        if 200 <= answer.status < 300:
            return [self._result(found, answer) for found in self._found(answer, [key for key, _ in items])]
        if len(items) > 1 and 400 <= answer.status < 500 and answer.status not in NOT_ABOUT_THE_LIST:
            return [outcome for item in items for outcome in self._outcomes(group, [item])]
        return [answer] * len(items)

    def _asked(self, items: Sequence[Item]) -> Outcome:
        body = json.dumps([entry for _, entry in items], ensure_ascii=False, allow_nan=False).encode()
        try:
            return self._send(body)
        except LinesideError as error:
            return error

    def _found(self, answer: HttpAnswer, keys: Sequence[str]) -> Sequence[Any]:
        """Each posting's result, MISSING where there is none."""
        body = parse_object(answer.body)
        results = pick(body, self._options["results"]) if "results" in self._options else body
        if not isinstance(results, list):
            return [MISSING] * len(keys)
        if "result_key" in self._options:
            by_key = {str(pick(one, self._options["result_key"])): one for one in results}
            return [by_key.get(key, MISSING) for key in keys]
        return results if len(results) == len(keys) else [MISSING] * len(keys)

    def _result(self, found: Any, answer: HttpAnswer) -> Outcome:
        """As an answer of its own, with the status that it names or that of all."""
        if not isinstance(found, dict):
            return OutcomeUnknown(f"target {self._code}: the answer to a batch tells nothing of this posting")
        status = pick(found, self._options["status"]) if "status" in self._options else answer.status
        if isinstance(status, bool) or not str(status).isdecimal() or not 100 <= int(status) <= 599:
            told = f"target {self._code}: a result of the batch has no status at {self._options['status']!r}"
            return OutcomeUnknown(told)
        return HttpAnswer(int(status), answer.headers, json.dumps(found, ensure_ascii=False).encode())

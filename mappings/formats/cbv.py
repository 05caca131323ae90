"""The words of the GS1 Core Business Vocabulary 2.0, in the forms in which senders write them.

Source: GS1 CBV Standard 2.0, section 7 (https://ref.gs1.org/cbv/). In EPCIS 2.0 JSON a word of the CBV stands bare;
the web URI is the same word in linked data, the URN is that of CBV 1.x, and the schema of EPCIS 2.0 takes it no more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mappings.context import Deviations


@dataclass(frozen=True)
class Vocabulary:
    """One list of the CBV: ``urn`` and ``web`` are its names in the two kinds of URI."""

    name: str
    urn: str
    web: str
    words: frozenset[str]

    def read(self, text: str, deviations: Deviations, place: str) -> str:
        """The bare word. A URI of somebody's own stays as it is; a word that is none of the list's is a deviation."""
        if text in self.words:
            return text
        bare = self._bare(text)
        if bare is None:
            if ":" not in text:
                deviations.allow("word_unknown", f"{text[:60]!r} is no {self.name} of CBV 2.0", place)
            return text
        if not _WEB.match(text) or bare not in text:
            deviations.allow("word_form", f"{text[:80]!r} stands for the {self.name} {bare!r}", place)
        return bare

    def _bare(self, text: str) -> str | None:
        """The list's word that the text stands for, whatever its form and its case."""
        word = _WEB.sub("", text)
        if word != text:
            word = word.removeprefix(f"{self.web}-")
        elif text.casefold().startswith(_URN):
            word = text[len(_URN) :].casefold().removeprefix(f"{self.urn}:")
        if word not in self.words:
            word = re.sub(r"[ -]", "_", word.casefold())
        return word if word in self.words else None


_URN = "urn:epcglobal:cbv:"
_WEB = re.compile(r"^(?:https?://(?:ref|ns)\.gs1\.org/cbv/|cbv:)")


def _vocabulary(name: str, urn: str, web: str, words: str) -> Vocabulary:
    return Vocabulary(name, urn, web, frozenset(words.split()))


STEPS = _vocabulary(
    "business step",
    "bizstep",
    "BizStep",
    """accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting
    decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting
    installing killing loading other packing picking receiving removing repackaging repairing replacing reserving
    retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting
    unloading unpacking void_shipping""",
)
DISPOSITIONS = _vocabulary(
    "disposition",
    "disp",
    "Disp",
    """active available completeness_inferred completeness_verified conformant container_closed container_open damaged
    destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance
    mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed
    recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown""",
)
TRANSACTIONS = _vocabulary(
    "type of business transaction",
    "btt",
    "BTT",
    "bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt",
)
SOURCES = _vocabulary("type of source or destination", "sdt", "SDT", "owning_party possessing_party location")
# Our own extension of an event, in the namespace that a document of ours declares.
NAMESPACE = {"lineside": "urn:lineside:"}
REASON = "lineside:reason"
ERRORS = _vocabulary("reason of an error declaration", "er", "ER", "did_not_occur incorrect_data")

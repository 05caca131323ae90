"""The schemas that MESA International publishes for B2MML, read where they lie."""

from __future__ import annotations

from functools import cache

from lxml import etree

from tests.interop.samples import sample

_DOCUMENTS = {
    "V0401": (
        "B2MML-V0401-Material",
        "B2MML-V0401-ProductDefinition",
        "B2MML-V0401-ProductionSchedule",
        "B2MML-V0401-ProductionPerformance",
    ),
    "V0600": (
        "B2MML-V0600-Material",
        "B2MML-V0600-ProductDefinition",
        "B2MML-V0600-OperationsDefinition",
        "B2MML-V0600-ProductionSchedule",
        "B2MML-V0600-ProductionPerformance",
        "B2MML-V0600-OperationsSchedule",
        "B2MML-V0600-OperationsPerformance",
    ),
    "V0700": ("AllSchemas",),
}
NAMESPACES = {
    "http://www.wbf.org/xml/B2MML-V0401": "V0401",
    "http://www.mesa.org/xml/B2MML-V0600": "V0600",
    "http://www.mesa.org/xml/B2MML": "V0700",
}


@cache
def schema_of(version: str) -> etree.XMLSchema:
    """One schema that includes every document of a version that Lineside reads or writes."""
    folder = sample(f"b2mml/{version.lower()}/xsd")
    namespace = next(name for name, code in NAMESPACES.items() if code == version)
    parts = "".join(f'<i:include schemaLocation="{name}.xsd"/>' for name in _DOCUMENTS[version])
    text = f'<i:schema xmlns:i="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}">{parts}</i:schema>'
    return etree.XMLSchema(etree.fromstring(text.encode(), base_url=f"{folder}/all.xsd"))


def faults_of(body: bytes | etree._Element) -> list[str]:
    """What the published schema of the document's own version has against it."""
    root = etree.fromstring(body) if isinstance(body, bytes) else body
    schema = schema_of(NAMESPACES[str(etree.QName(root.tag).namespace)])
    schema.validate(root)
    return [str(entry) for entry in schema.error_log]

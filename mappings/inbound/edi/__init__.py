"""What EDIFACT and X12 mappings share: messages of segments, whose number an item's is, amounts, and packages."""

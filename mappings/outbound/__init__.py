"""One directory a target family, one file a canonical type: canonical event to target document."""

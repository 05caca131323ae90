"""From a source system's own payload to canonical events: a folder a source family, a file a type."""

"""Messages that are old enough leave the database: exported to files first, deleted in small steps afterwards."""

"""One row a message, event and target: what it is to hold, what was tried, what it answered."""

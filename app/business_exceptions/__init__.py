"""Business exceptions: raised once a cause, seen by people, closed by a person or by themselves."""

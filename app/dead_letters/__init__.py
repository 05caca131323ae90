"""Dead letters: find them, requeue, correct, discard; all by a named person."""

"""Identification numbers of GS1."""

from __future__ import annotations


def check_digit(digits: str) -> int:
    """GS1's check digit of the digits before it (GS1 General Specifications, 7.9)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return (10 - total % 10) % 10

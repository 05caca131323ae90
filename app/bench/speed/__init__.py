"""How fast the product is, each figure beside what a user would write first, measured by turns in the same call."""

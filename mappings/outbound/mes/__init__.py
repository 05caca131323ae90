"""A plant's MES: the orders it is to make."""

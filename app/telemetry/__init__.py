"""Log lines and metric names: the bottom of the house, imported by everybody and importing nobody."""

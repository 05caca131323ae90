"""The commands, one file a group; ``app/cli.py`` lists them."""

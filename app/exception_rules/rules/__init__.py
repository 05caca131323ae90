"""The rules, one file each; `app/exception_rules/registry.py` lists them."""

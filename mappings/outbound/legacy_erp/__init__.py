"""A legacy ERP that reads dropped files: the rows of its movement file."""

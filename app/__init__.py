"""What the product does; no Celery decorators live here."""

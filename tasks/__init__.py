"""Thin Celery tasks around the plain functions of ``app/pipeline``."""

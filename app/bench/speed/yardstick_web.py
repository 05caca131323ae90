"""What a user would write first to take messages in: a row and a task a request; and a server that does nothing.

Served by gunicorn as ``app.bench.speed.yardstick_web:nothing()`` and ``...:insert_and_publish()``, from the
environment's ``YARDSTICK_DATABASE_URL`` and ``YARDSTICK_BROKER_URL``.
"""

from __future__ import annotations

import json
from typing import Any

from celery import Celery
from flask import Flask, jsonify, request
from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, create_engine, event, insert
from sqlalchemy.schema import CreateTable

from config.settings import inherited_environment

_rows = Table(
    "yardstick",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("message_id", String(200), unique=True),
    Column("body", JSON),
)


def nothing() -> Flask:
    app = Flask("nothing")

    @app.post("/v1/messages")
    def take() -> Any:
        request.get_data()
        return jsonify({"status": "accepted"}), 202

    return app


def insert_and_publish() -> Flask:
    environment = inherited_environment({})
    engine = create_engine(environment["YARDSTICK_DATABASE_URL"], pool_size=8)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _durable)
    with engine.begin() as connection:
        connection.execute(CreateTable(_rows, if_not_exists=True))  # each of the server's processes comes by
    celery = Celery("yardstick", broker=environment["YARDSTICK_BROKER_URL"])
    celery.conf.update(task_ignore_result=True, task_default_queue="yardstick")
    app = Flask("insert_and_publish")

    @app.post("/v1/messages")
    def take() -> Any:
        body = json.loads(request.get_data())
        with engine.begin() as connection:
            statement = insert(_rows).values(message_id=body["id"], body=body).returning(_rows.c.id)
            number = connection.execute(statement).scalar_one()
        celery.send_task("yardstick.work", [number])
        return jsonify({"status": "accepted"}), 202

    return app


def _durable(connection: Any, _record: Any) -> None:
    """As the product has it."""
    connection.execute("PRAGMA busy_timeout=20000")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")

"""What gunicorn serves: ``app.wsgi:application``."""

from __future__ import annotations

from app.dispatch import Dispatcher
from app.factory import create_app
from app.stack.fair_threads import switch_often
from app.store.session import Store
from config.settings import load_settings
from config.topology_file import load_topology

switch_often()
_settings = load_settings()
_topology = load_topology(_settings.config_path)

application = create_app(
    _settings,
    _topology,
    Store(_settings.database_url, pool_size=_settings.web_threads + 2),
    Dispatcher(_settings, tuple(_topology.plants)),
)

"""The Celery application: one queue per kind, so that control never waits behind file work."""

import os
import ssl
import sys
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from celery import Celery, bootsteps
from celery.app.amqp import AMQP
from kombu import Connection, Queue

from attpcdaq.config import task_logs  # noqa: F401  # connects to Celery's signals
from attpcdaq.config.celery_beats import Beating, Migrated
from attpcdaq.config.environment import SettingsError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attpcdaq.config.settings")

CONTROL, FILES = "control", "files"
FILE_TASKS = ("close_out", "set_aside", "keep_configs", "check_files")
TASKS = "attpcdaq.runcontrol.tasks."
FOR_EVER: dict[str, Any] = {"max_retries": None, "interval_start": 1, "interval_step": 0, "interval_max": 1}


class LastingConnection(Connection):
    """Asks for a broker that is away once a second, for ever: kombu would ask less and less often, and give up."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Self:
        return super().ensure_connection(*args[:1], **{**kwargs, **FOR_EVER})


class Messages(AMQP):
    """What Celery sends and receives through such connections."""

    Connection = BrokerConnection = LastingConnection


app = Celery("attpcdaq", amqp=Messages)


class WakeUp(bootsteps.StartStopStep):
    """Lets a worker look around: its event loop sleeps through a signal, and would need 10 s to notice SIGTERM."""

    requires = ("celery.worker.components:Timer",)

    def start(self, parent: Any) -> None:
        parent.timer.call_repeatedly(0.25, lambda: None)


app.steps["worker"].add(Migrated)
app.steps["consumer"].add(Beating)


def configure(broker_url: str, broker_ca: Path | None = None) -> None:
    """Settings for `broker_url`; an embedded broker keeps its messages in the directory it names.

    With `broker_ca`, a broker whose certificate that authority did not sign for its host name is not spoken to.
    """
    app.conf.update(
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=2,
        # A broker that stands still, or vanished without a word, is noticed.
        broker_heartbeat=10,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_default_queue=CONTROL,
        task_routes={TASKS + name: {"queue": FILES} for name in FILE_TASKS},
        task_create_missing_queues=False,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
    )
    if urlsplit(broker_url).scheme == "filesystem":
        _embedded(Path(urlsplit(broker_url).path))
    else:
        _rabbitmq(broker_url, broker_ca)


def _rabbitmq(broker_url: str, broker_ca: Path | None) -> None:
    app.steps["worker"].add(WakeUp)
    quorum = {"x-queue-type": "quorum"}
    app.conf.update(
        broker_url=broker_url,
        broker_use_ssl=_verified(broker_url, broker_ca) if broker_ca else None,
        task_default_queue_type="quorum",
        task_queues=[Queue(name, routing_key=name, queue_arguments=quorum) for name in (CONTROL, FILES)],
        worker_detect_quorum_queues=True,
        worker_consumer="attpcdaq.config.celery_worker.PlainConsumer",
        # Without these a stalled broker blocks a publish for ever.
        broker_transport_options={"confirm_publish": True, "read_timeout": 2, "write_timeout": 2},
    )


def _verified(broker_url: str, broker_ca: Path) -> dict[str, Any]:
    return {
        "ca_certs": str(broker_ca),
        "cert_reqs": ssl.CERT_REQUIRED,
        # With a name here, py-amqp compares it with the certificate's.
        "server_hostname": urlsplit(broker_url).hostname,
        "tls_minimum_version": ssl.TLSVersion.TLSv1_2,
    }


def _embedded(directory: Path) -> None:
    folders = {name: directory / name for name in ("messages", "processed", "control")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    app.conf.update(
        broker_url="filesystem://localhost",
        broker_transport="attpcdaq.config.embedded_broker:Transport",
        task_queues=[Queue(name, routing_key=name) for name in (CONTROL, FILES)],
        broker_transport_options={
            "data_folder_in": str(folders["messages"]),
            "data_folder_out": str(folders["messages"]),
            "processed_folder": str(folders["processed"]),
            "control_folder": str(folders["control"]),
            "store_processed": False,
            "polling_interval": 0.02,
        },
    )


def _from_settings() -> None:
    from django.conf import settings

    try:
        configure(settings.CELERY_BROKER_URL, settings.BROKER_CA)
    except SettingsError as error:  # Celery would print its usage, and a traceback
        sys.exit(f"attpcdaq: {error}")


_from_settings()
app.autodiscover_tasks(["attpcdaq.runcontrol"])

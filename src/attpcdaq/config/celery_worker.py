"""The worker's consumer without what we never use: it is ready, and ready again, the sooner."""

from typing import Any

from celery.worker.consumer import Consumer

ALL: Any = Consumer.Blueprint
DELAYED_DELIVERY = "celery.worker.consumer.delayed_delivery:DelayedDelivery"
STEPS = [step for step in ALL.default_steps if step != DELAYED_DELIVERY]


class PlainConsumer(Consumer):
    """No delayed messages: Celery would make 28 exchanges and queues for them, answer by answer, at each connection.

    Over a slow network that lasts longer than the broker waits for a sign of life.
    """

    Blueprint = type("Blueprint", (ALL,), {"default_steps": STEPS})

"""Composition: settings, start-up checks, addresses, and the Celery application."""

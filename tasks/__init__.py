"""When things happen: Celery tasks of a few lines, each calling one service."""

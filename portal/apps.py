from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "Portal"

    def ready(self) -> None:
        """Loads the Celery application, so that rings go to its broker from every process."""
        import portal.celery  # noqa: F401

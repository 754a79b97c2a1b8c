from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks"
    verbose_name = "Tasks"

    def ready(self) -> None:
        from accounts.signals import webhook_waits
        from tasks.webhook import ring_waiting

        webhook_waits.connect(ring_waiting, dispatch_uid="webhooks")

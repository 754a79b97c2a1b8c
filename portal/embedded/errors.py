class EmbeddedError(RuntimeError):
    """An embedded server or process can't do as asked; the message is for the person at the terminal."""


class AlreadyRunningError(EmbeddedError):
    """Another supervisor holds this state directory."""

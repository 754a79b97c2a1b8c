from django.contrib.auth.hashers import Argon2PasswordHasher


class CheapArgon2(Argon2PasswordHasher):
    """Argon2 with the least work, for tests that are not about its cost."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1

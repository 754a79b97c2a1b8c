"""Business associates of a covered entity: who they are, what they do with PHI, how much depends on them."""

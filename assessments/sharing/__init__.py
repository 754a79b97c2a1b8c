"""What a business associate lets a covered entity see of its posture: by consent, until it is revoked."""

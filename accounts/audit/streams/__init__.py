"""The audit log as a stream to a tenant's own systems: a signed webhook, or syslog over TLS."""

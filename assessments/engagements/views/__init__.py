"""Pages of engagements: the auditor's, and the tenant's."""

"""The chain of subcontractors: what each business associate tells, by consent, of those that work for it."""

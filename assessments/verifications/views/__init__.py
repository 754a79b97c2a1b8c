"""Pages of verifications: `sender` is the business associate's side, `recipient` the covered entity's."""

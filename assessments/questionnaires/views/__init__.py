"""Pages of questionnaires: what was sent, templates, what is to be answered, and guests."""

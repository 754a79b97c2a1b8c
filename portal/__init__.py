"""The frame: settings, addresses, templates, commands, and the servers that the embedded default runs."""

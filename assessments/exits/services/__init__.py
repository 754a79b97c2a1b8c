"""What can be done with exits, by theme. Keyword-only; errors are accounts.errors."""

"""What the interface shows: one file each. The words are those of the pages, the rows come from the same services."""

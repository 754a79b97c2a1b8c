"""Pages of partnerships: the upstream party's, the downstream one's, and the way from one to the other."""

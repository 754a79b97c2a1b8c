"""All that speaks to AWS: sessions, the reader that records, probes, role policies."""

"""What submitted documents say joins our own findings and statuses."""

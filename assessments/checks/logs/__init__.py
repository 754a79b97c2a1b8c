"""Checks of CloudWatch log groups: how long they are kept, whose key encrypts them."""

"""What can be done with verifications, by who does it: drafting, certifying, delivering, answering."""

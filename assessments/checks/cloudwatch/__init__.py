"""Checks that security events raise alarms which reach somebody."""

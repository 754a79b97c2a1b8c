"""Clocks that act: a timer calls the handler of its kind for a row when its time has come, once."""

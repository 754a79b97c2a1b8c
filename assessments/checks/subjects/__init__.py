"""What checks of one service share: the resources to judge, and judges used by several checks."""

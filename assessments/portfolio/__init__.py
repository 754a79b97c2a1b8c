"""Business associates as their covered entity sees them: the portfolio, and one partner's page in tabs."""

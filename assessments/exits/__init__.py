"""The end of the work with a business associate: PHI returned or destroyed, and the proof of it."""

"""What the formats share: safe streams of JSON and XML, citations, the crosswalk. Formats know only this."""

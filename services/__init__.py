"""Everything that is not pixels."""

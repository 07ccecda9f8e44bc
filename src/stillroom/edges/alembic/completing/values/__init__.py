"""What rows hold: values for new columns, conversions, defaults, counters, and what stands in their way."""

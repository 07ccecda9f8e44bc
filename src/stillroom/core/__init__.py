"""Values and decisions; no clock, environment, file, socket or process."""

"""What each task does, in which order; one file per task; they return a value and print nothing."""

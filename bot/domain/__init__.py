"""What is true: pure values and decisions, no I/O, no SDK."""

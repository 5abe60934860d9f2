"""What is played, one file for each act: a title, and `play`."""

"""A step of a GitHub Actions workflow: what the runner and the step's author give it."""

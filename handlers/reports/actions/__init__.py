"""Reports in a workflow of GitHub Actions: its log, annotations, step summary and outputs."""

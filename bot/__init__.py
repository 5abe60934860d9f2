"""pachops: a commit in, running Pachyderm pipelines out."""

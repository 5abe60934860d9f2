"""What people on GitHub see of a deployment: comment, check and GitHub's own deployment."""

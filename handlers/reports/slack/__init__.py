"""A deployment in Slack: one message in each place, edited as it goes on."""

"""What people ask for, whichever surface they ask on: facts, gate, deployment, answer."""

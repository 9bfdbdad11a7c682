"""What sees them: trunks, tasks, and the one training loop."""

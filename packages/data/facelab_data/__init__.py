"""What the networks see: faces drawn from known factors, and photographs with labels."""

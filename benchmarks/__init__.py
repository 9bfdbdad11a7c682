"""Side by side with the peers: what facelab computes, how fast, and whether it is the same."""

"""What we ask them: recording, reduction, decoding, inference."""

"""3D models as references: read from a file, brought to the canonical pose, and seen through cameras."""

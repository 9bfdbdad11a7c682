"""Mesh to pixels: pose, visibility, shading, light and tone."""

"""Photographs that people have, brought into a stimulus set."""

"""Does turning a face over hurt a network as it hurts us?"""

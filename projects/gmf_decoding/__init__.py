"""Is the generative model of faces written in the layers of a network?"""

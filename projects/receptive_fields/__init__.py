"""What does a unit really look at?"""

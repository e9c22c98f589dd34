"""References to train and measure with: the object itself, distorted; another of its kind; something else
altogether.
"""

"""ImageDream's class (arXiv 2312.02201): four views of the object in a picture, which see each other and the
picture.
"""

"""Files in and files out: pictures and meshes that artists bring, and results in the formats that they take
away.
"""

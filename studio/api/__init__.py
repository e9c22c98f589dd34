"""The studio for programs: what may be asked (`operations`), over HTTP with an OpenAPI document (`routes`),
or in the process.

`studio.client` holds the Python client of both.
"""

"""Many objects from one table: `table` reads and checks it, `workers` or a Ray `cluster` make its rows,
`report` shows them.
"""

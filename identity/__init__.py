"""Who is who: which source records are one customer, and since when.

Reads the records that staging found and the log of past decisions; writes decisions and the map that
follows from them. Nothing here knows Dagster or dbt, or opens the warehouse for writing.
"""

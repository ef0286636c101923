"""What comes in: contracts, source systems, the load of one file, and the lake with its register.

Nothing here knows Dagster or dbt; orchestration calls it.
"""

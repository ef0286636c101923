"""When things run: the one package that knows Dagster and dbt, thin over the rooms.

Each verb of the command line starts here; nothing heavy is imported at this level.
"""

"""What goes out: the published copy that BI reads. Nothing here knows Dagster or dbt."""

"""The assets of the graph, one module per room that they run."""

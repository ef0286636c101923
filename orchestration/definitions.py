"""What `workspace.yaml` loads: the graph on the home that `UNICUS_HOME` names."""

from orchestration.graph import build_definitions
from orchestration.settings import Home

defs = build_definitions(Home.from_environment())

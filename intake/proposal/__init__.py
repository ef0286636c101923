"""Proposals: from the files of a stranger to a system that loads as it stands.

Belongs here: what columns may mean, which entities they feed, and the `source.yaml` and mappings that
say so, with a TODO wherever the guess needs a person. What a file looks like is found in
`intake.profile`; nothing here touches a lake.
"""

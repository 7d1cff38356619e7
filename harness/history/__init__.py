"""What was planned and what happened: plans, events, the journal file that keeps both, the timeline that shows them, redaction.

Deliberately absent: judgement (``checks``) and anything that runs (``worlds``). Plans live here because a history carries its own plan: an old
file can be judged again by anybody.
"""

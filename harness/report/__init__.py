"""What people and machines get to see of a run: rows, the console summary, ``report.json``, the explanation of a failure.

Deliberately absent: judgement (``run.judge``) and running (``run.runner``). A report only retells what it is handed.
"""

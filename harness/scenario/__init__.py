"""From YAML to a plan: the language's models, its strict loader, its verbs, the expansion into permutations.

Deliberately absent: running anything, and knowing how a world realises a step.
"""

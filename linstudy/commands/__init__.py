"""The verbs of the command line, a module each: ``add_to`` adds its options to argparse's, ``run`` does the work.

Nothing heavy is imported before ``run``, so that ``linstudy --help`` answers at once.
"""

"""Spaces of designs and deployments: evaluated by the models, kept by digest, searched for the best."""

"""What a site of such chips delivers, draws and costs: figures with ranges and origins, from records and facts.

Nothing here runs a model: cycles and counts come from records, everything else from sourced facts.
"""

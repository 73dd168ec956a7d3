"""Configuration of training runs: dataclasses, presets, and conversion to YAML.

`run_config` defines all settings of a run, `presets` holds named sets of defaults, and
`serialization` converts configurations to the plain values of YAML files and checkpoints.
"""

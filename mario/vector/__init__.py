"""Vector environments: several copies of a game that are stepped together.

`make_vector_env` picks the fastest class for a configuration: `NativeMarioVectorEnv` runs Super
Mario Bros. in compiled code, `AtariVectorEnv` runs Atari games in ALE's threads, and
`ProcessVectorEnv` runs any other environment in worker processes. Nothing here imports torch.
"""

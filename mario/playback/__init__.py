"""Watch trained agents play: in a window or a video, with an overlay of what the agent computes.

`mario.playback.watch` plays one episode and passes on frames and agent steps,
`mario.playback.window` and `mario.playback.video` show and record frames, `mario.playback.overlay`
draws the agent's view beside the game, and `mario.playback.level_experts` lets several checkpoints
play one game, each in the level that it was trained on.
"""

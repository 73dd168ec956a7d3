"""Training over several machines: workers that play, a driver that learns, and Ray between them.

A fleet hires, watches and replaces workers. A `GradientWorker` plays and computes gradients, from
which the driver makes updates. A `PlayerWorker` only plays, for one learner in the driver.
`ClusterSession` is a `mario.training.session.Session` that trains in this way. Only the modules
`fleet` and `connection` import Ray.
"""

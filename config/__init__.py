"""What an installation is told: the environment, the topology file, and the queues that follow from it."""

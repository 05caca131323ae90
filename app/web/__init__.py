"""What the API and the console share: the services of the process, and how errors are told."""

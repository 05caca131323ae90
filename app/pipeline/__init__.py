"""One plain function a step: transform, enrich, post."""

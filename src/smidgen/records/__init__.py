"""What a run leaves on disk: hashes, manifests, measurements, folders. Standard library only."""

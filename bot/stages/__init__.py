"""One file for each stage; each looks at the world first, then acts, so a repeat is harmless."""

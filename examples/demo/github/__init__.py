"""The demo's GitHub: npm's emulator, and a door that does what the emulator cannot."""

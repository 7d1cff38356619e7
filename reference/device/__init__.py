"""The device program: drives the device machine."""

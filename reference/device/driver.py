"""The device's driver: the common loop and nothing more."""

from reference.drive import Driver


class DeviceDriver(Driver):
    """Runs a device machine."""

"""The chip model: layers of a network on the cores, memories, vector engine, links and host of a device."""

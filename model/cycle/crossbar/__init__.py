"""When things happen on a crossbar core: closed form and stepped model."""

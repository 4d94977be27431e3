"""What lies between the core's scratchpads and memories outside: copies, pooling, AXI."""

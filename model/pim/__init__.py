"""What PIM devices compute: programs, arithmetic, and a device that interprets micro-operations."""
